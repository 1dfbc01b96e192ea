import { posix } from 'node:path';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { NEW_DIRECTORIES } from '../layout.ts';
import type { Modes } from '../modes.ts';
import { closeFile, exists, FSYNC, makeDirectory, openToRead, statusOf, syncFile } from './calls.ts';
import { pathBelow } from './remote-path.ts';
import type { SftpSession } from './session.ts';
import { SftpError } from './status.ts';

/** Makes the entries of a directory durable: names that were added, renamed or removed. */
export type SyncDirectory = (session: SftpSession, path: string, signal?: AbortSignal) => Promise<void>;

/**
 * SFTP has no fsync for a directory. OpenSSH's server on Unix opens one like a file, though, and syncs it like one. A
 * server that refuses the first time cannot do it, and there is nothing better to be had; one that could and then
 * refuses has a disk that fails.
 */
export function directorySync(): SyncDirectory {
  let ability: 'unknown' | 'yes' | 'no' = 'unknown';
  return async (session, path, signal) => {
    if (ability === 'no' || !session.knows(FSYNC)) return;
    try {
      const directory = await openToRead(session, path, signal);
      try {
        await syncFile(session, directory, signal);
      } finally {
        closeFile(session, directory).catch(() => undefined);
      }
      ability = 'yes';
    } catch (error) {
      if (ability === 'yes' || !(error instanceof SftpError)) throw error;
      ability = 'no';
    }
  };
}

interface Place {
  readonly session: SftpSession;
  readonly syncDirectory: SyncDirectory;
  readonly modes: Modes;
  readonly root: string;
}

/**
 * Makes `directory`, a path below the root, and what is missing above it. Never the root itself: when that is gone, a
 * disk is not mounted there, and a repository that grows in the empty mount point helps nobody.
 */
export async function makeDirectoryBelow(
  place: Place,
  directory: string,
  signal?: AbortSignal,
): Promise<void> {
  if (directory === '') return;
  const parent = directory.includes('/') ? posix.dirname(directory) : '';
  await makeDirectoryBelow(place, parent, signal);
  await makeUnlessThere(place, pathBelow(place.root, directory), signal);
  await place.syncDirectory(place.session, pathBelow(place.root, parent), signal);
}

/** Makes the root, what is missing above it, and all that a new repository consists of. */
export async function makeNewDirectories(place: Place): Promise<void> {
  await makeRoot(place, place.root);
  const [, ...below] = NEW_DIRECTORIES;
  const depths = Map.groupBy(below, (directory) => directory.split('/').length);
  for (const directories of depths.values()) {
    await mapConcurrently(directories, AT_ONCE, (directory) =>
      makeUnlessThere(place, pathBelow(place.root, directory)),
    );
  }
  const parents = new Set(below.map((directory) => posix.dirname(pathBelow(place.root, directory))));
  for (const parent of parents) await place.syncDirectory(place.session, parent);
}

async function makeRoot(place: Place, path: string): Promise<void> {
  if (await exists(place.session, path)) return;
  const parent = posix.dirname(path);
  if (parent !== path) await makeRoot(place, parent);
  await makeUnlessThere(place, path);
  await place.syncDirectory(place.session, parent);
}

/** SFTP has no word for "it is there already". */
async function makeUnlessThere({ session, modes }: Place, path: string, signal?: AbortSignal): Promise<void> {
  try {
    await makeDirectory(session, path, modes.directory, signal);
  } catch (error) {
    if (!(error instanceof SftpError)) throw error;
    const mode = await statusOf(session, path, signal).then(
      (status) => status.mode ?? DIRECTORY,
      () => 0,
    );
    if ((mode & FILE_TYPE) !== DIRECTORY) throw error;
  }
}

const AT_ONCE = 32;
const FILE_TYPE = 0o170000;
const DIRECTORY = 0o040000;
