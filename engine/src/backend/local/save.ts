import { join } from 'node:path';
import type { Modes } from '../modes.ts';
import { temporaryName } from '../temporary-name.ts';
import { makeDirectoryBelow } from './directories.ts';
import type { Disk, NewFile } from './disk.ts';
import { errnoOf } from './errno.ts';
import type { Publish } from './publish.ts';

export interface SaveTarget {
  readonly disk: Disk;
  readonly publish: Publish;
  readonly modes: Modes;
  /** The repository and the directory in it, both absolute. */
  readonly root: string;
  readonly directory: string;
  readonly name: string;
}

/** A file's bytes, whole or as they arrive. An iteration that throws has written nothing that anybody sees. */
export type Content = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Writes a file so that it is either there, whole and durable, or not there:
 *
 *     1. create <name>-tmp-<random>      in the same directory, so that step 4 stays on one file system
 *     2. write, make read-only
 *     3. fsync the file                  before it has its name: a name must never outlive its content
 *     4. link to <name>, unlink the temporary one
 *     5. fsync the directory             before it is acknowledged: the name survives a power cut, too
 *
 * A power cut before 5 leaves the file whole or absent. Up to 4 the signal is obeyed; from there on it takes only
 * moments to finish. When 5 fails the file keeps its name, since somebody may rely on it by now: another try is told
 * EEXIST, after a sync of its own. Rejects with the system's own errors, EEXIST when the name is taken.
 */
export async function saveFile(target: SaveTarget, content: Content, signal?: AbortSignal): Promise<void> {
  const { disk, publish, directory } = target;
  signal?.throwIfAborted();
  const temporary = join(directory, temporaryName(target.name));
  const final = join(directory, target.name);
  try {
    await writeDurably(target, temporary, content, signal);
    signal?.throwIfAborted();
    await publish(temporary, final);
  } catch (error) {
    await forget(disk, temporary);
    // Whoever hears "exists" takes the file as saved, but the save that named it may not have got to its sync.
    if (errnoOf(error) === 'EEXIST') await disk.syncDirectory(directory);
    throw error;
  }
  await disk.syncDirectory(directory);
}

async function writeDurably(
  target: SaveTarget,
  path: string,
  content: Content,
  signal?: AbortSignal,
): Promise<void> {
  const file = await createFile(target, path);
  try {
    if (content instanceof Uint8Array) await file.write(content, signal);
    else for await (const piece of content) await file.write(piece, signal);
    await file.setMode(target.modes.file);
    signal?.throwIfAborted();
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Packs' directories may be missing: other programs create them when needed, and copying tools drop empty ones. */
async function createFile({ disk, modes, root, directory }: SaveTarget, path: string): Promise<NewFile> {
  try {
    return await disk.createFile(path, 0o600);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await makeDirectoryBelow(disk, root, directory, modes.directory);
    return await disk.createFile(path, 0o600);
  }
}

/** For what is being given up anyway: the error that led here says more than one from cleaning up. */
async function forget(disk: Disk, path: string): Promise<void> {
  try {
    await disk.unlink(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
