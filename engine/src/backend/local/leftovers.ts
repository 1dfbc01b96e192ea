import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isLeftover, isTemporary } from '../temporary-name.ts';
import { errnoOf } from './errno.ts';

/**
 * Removes what saves that were killed left in a directory: only names that `temporaryName` makes, and only when a
 * day old (by file time against `now`, in milliseconds). Should such a file belong to a save that is alive after all
 * (a machine asleep, a clock far off), that save finds its file gone and rejects; nothing acknowledged is lost.
 * Housekeeping never fails the save it happens in: what cannot be removed stays.
 */
export async function sweepLeftovers(directory: string, now: number): Promise<void> {
  try {
    for (const name of await readdir(directory)) {
      if (!isTemporary(name)) continue;
      const path = join(directory, name);
      const { mtimeMs } = await stat(path);
      if (isLeftover(mtimeMs, now)) await unlink(path);
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
