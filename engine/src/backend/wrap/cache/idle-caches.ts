import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { tagAsCache } from '../../../kernel/cache-tag.ts';
import type { Clock } from '../../../kernel/clock.ts';
import { isId } from '../../../kernel/id.ts';

/** As restic's `cache --cleanup` has it. */
const IDLE_MS = 30 * 24 * 60 * 60_000;

/**
 * Makes the cache directory of a repository below the user's, and removes those of repositories that nobody has used
 * for thirty days. What is no cache of a repository is left alone. A failure only means that there is no cache.
 */
export function openCacheDirectory(cacheDirectory: string, repositoryId: string, clock: Clock): string {
  const directory = join(cacheDirectory, repositoryId);
  const now = clock.now();
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    tagAsCache(cacheDirectory);
    utimesSync(directory, now / 1000, now / 1000);
    for (const name of readdirSync(cacheDirectory)) {
      if (!isId(name) || name === repositoryId) continue;
      const other = join(cacheDirectory, name);
      if (now - lastUse(other) > IDLE_MS) rmSync(other, { recursive: true, force: true });
    }
  } catch {
    // Not ours to write to, or being tidied by another process at this moment.
  }
  return directory;
}

/** In milliseconds. Whoever only scans files writes into a folder below, which leaves the directory's own time as it is. */
function lastUse(directory: string): number {
  const below = readdirSync(directory).map((name) => join(directory, name));
  return Math.max(...[directory, ...below].map((path) => statSync(path).mtimeMs));
}
