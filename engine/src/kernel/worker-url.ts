/**
 * The address of a worker module beside the module that starts it, without its extension: `.ts` when run from source,
 * `.js` when built. (The compiler rewrites imports, not addresses.)
 */
export function workerUrl(importer: string, module: string): URL {
  return new URL(module + importer.slice(importer.lastIndexOf('.')), importer);
}
