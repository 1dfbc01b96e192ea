import { dirname, join } from 'node:path';
import { NEW_DIRECTORIES } from '../layout.ts';
import type { Disk } from './disk.ts';
import { errnoOf } from './errno.ts';

/*
 * A durable file in a directory whose own name is not durable is lost with it. So wherever a directory is made, its
 * parent is synced before anybody goes on; also when the directory was there, since whoever made it may have been
 * killed in between.
 */

/**
 * Makes `directory` and what is missing between it and `root`. Never `root` itself: when that is gone, a disk is not
 * mounted, and a repository that grows in the empty mount point helps nobody. Fails with ENOENT then.
 */
export async function makeDirectoryBelow(
  disk: Disk,
  root: string,
  directory: string,
  mode: number,
): Promise<void> {
  if (directory === root) return;
  const parent = dirname(directory);
  await makeDirectoryBelow(disk, root, parent, mode);
  await makeUnlessThere(disk, directory, mode);
  await disk.syncDirectory(parent);
}

/** Makes `root`, what is missing above it, and all that a new repository consists of. */
export async function makeNewDirectories(disk: Disk, root: string, mode: number): Promise<void> {
  await makeRoot(disk, root, mode);
  const paths = NEW_DIRECTORIES.map((directory) => join(root, directory));
  for (const path of paths) await makeUnlessThere(disk, path, mode);
  for (const parent of new Set(paths.map((path) => dirname(path)))) await disk.syncDirectory(parent);
}

async function makeRoot(disk: Disk, path: string, mode: number): Promise<void> {
  if (await disk.exists(path)) return;
  await makeRoot(disk, dirname(path), mode);
  await makeUnlessThere(disk, path, mode);
  await disk.syncDirectory(dirname(path));
}

async function makeUnlessThere(disk: Disk, path: string, mode: number): Promise<void> {
  try {
    await disk.makeDirectory(path, mode);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}
