import { join } from 'node:path';
import type { Environment } from './terminal.ts';

export interface CacheFlags {
  /** `--cache-dir`. */
  readonly cacheDir?: string;
  /** False with `--no-cache`. */
  readonly cache?: boolean;
}

/**
 * Where caches lie, or undefined when none is wanted. The first that is given counts: `--cache-dir`,
 * HOLDFAST_CACHE_DIR, RESTIC_CACHE_DIR, then `holdfast` in XDG_CACHE_HOME or ~/.cache. Where only RESTIC_CACHE_DIR is
 * given, ours is a folder of its own in it: the two caches are not alike.
 */
export function chooseCacheDirectory(
  flags: CacheFlags,
  environment: Environment,
  homeDirectory: string,
): string | undefined {
  if (flags.cache === false) return undefined;
  const own = flags.cacheDir || environment.HOLDFAST_CACHE_DIR;
  if (own) return own;
  const shared = environment.RESTIC_CACHE_DIR || environment.XDG_CACHE_HOME || join(homeDirectory, '.cache');
  return join(shared, 'holdfast');
}
