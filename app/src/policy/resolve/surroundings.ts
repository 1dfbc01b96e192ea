/** What a policy means depends on where it is read. */
export interface Surroundings {
  /** IANA name, where the policy names none. */
  readonly timezone: string;
  /** What `~` means. */
  readonly homeDirectory: string;
}

export function absolutePath(path: string, { homeDirectory }: Pick<Surroundings, 'homeDirectory'>): string {
  return path === '~' || path.startsWith('~/') ? `${homeDirectory}${path.slice(1)}` : path;
}
