import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileType, ListedFile } from '../backend.ts';
import { belongsIn, directoriesOf } from '../layout.ts';
import { errnoOf } from './errno.ts';

/** More would only queue up: libuv has four threads for the file system. */
const STATS_AT_ONCE = 16;

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
      const batch = names.slice(next, next + STATS_AT_ONCE);
      for (const file of await Promise.all(batch.map((name) => listedFile(path, name)))) {
        if (file !== undefined) yield file;
      }
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

async function listedFile(directory: string, name: string): Promise<ListedFile | undefined> {
  try {
    const stats = await stat(join(directory, name));
    return stats.isFile() ? { name, size: stats.size } : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
