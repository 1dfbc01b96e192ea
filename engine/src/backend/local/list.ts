import { type Stats, stat } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileType, ListedFile } from '../backend.ts';
import { belongsIn, directoriesOf } from '../layout.ts';
import { errnoOf } from './errno.ts';

/** Enough to keep libuv's four threads for the file system busy, few enough to stop soon after an abort. */
const STATS_AT_ONCE = 64;

/**
 * The finished files of one type, directory by directory. A directory that is missing is empty, a file that goes
 * away meanwhile was never there. Rejects with the system's own errors.
 */
export async function* listFiles(
  root: string,
  type: FileType,
  signal?: AbortSignal,
): AsyncGenerator<ListedFile> {
  for (const directory of directoriesOf(type)) {
    signal?.throwIfAborted();
    const path = join(root, directory);
    const names = (await namesIn(path)).filter((name) => belongsIn(type, directory, name));
    for (let next = 0; next < names.length; next += STATS_AT_ONCE) {
      signal?.throwIfAborted();
      yield* await sizesOf(path, names.slice(next, next + STATS_AT_ONCE));
    }
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Of those that are files. With callbacks, since a promise for each of 100,000 files costs as much as its stat. */
function sizesOf(directory: string, names: readonly string[]): Promise<ListedFile[]> {
  return new Promise((resolve, reject) => {
    const files: ListedFile[] = [];
    let left = names.length;
    for (const name of names) {
      stat(join(directory, name), (error: NodeJS.ErrnoException | null, stats?: Stats) => {
        left -= 1;
        if (error !== null && errnoOf(error) !== 'ENOENT') reject(error);
        else if (error === null && stats?.isFile() === true) files.push({ name, size: stats.size });
        if (left === 0) resolve(files);
      });
    }
  });
}
