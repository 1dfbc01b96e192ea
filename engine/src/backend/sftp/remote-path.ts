/** A path on the server; `path` is empty or relative. */
export function pathBelow(directory: string, path: string): string {
  return path === '' ? directory : directory === '/' ? `/${path}` : `${directory}/${path}`;
}
