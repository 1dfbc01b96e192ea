import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { Failure, isFailure } from '../../kernel/failure.ts';
import { type Backend, CONFIG, type FileType, type Handle, type ListedFile } from '../backend.ts';
import { alreadyExists, describeHandle, notFound, requireRange, shortRead } from '../handle.ts';
import { directoryOf, pathOf } from '../layout.ts';
import { OWNER_ONLY } from '../modes.ts';
import { trackRemovals } from '../removals.ts';
import { makeNewDirectories } from './directories.ts';
import { type Disk, systemDisk } from './disk.ts';
import { errnoOf, translateErrno } from './errno.ts';
import { sweepLeftovers } from './leftovers.ts';
import { listFiles } from './list.ts';
import { readRange } from './load.ts';
import { modesBeside } from './modes.ts';
import { publisher } from './publish.ts';
import { type Content, saveFile } from './save.ts';

export interface LocalOptions {
  /** The repository's directory; relative to the working directory of this moment. */
  readonly path: string;
  readonly connections?: number;
  readonly clock?: Clock;
  readonly disk?: Disk;
}

export interface LocalBackend extends Backend {
  /** `save` for what arrives piece by piece; rejects with what the iteration throws, and has saved nothing then. */
  saveFrom(handle: Handle, pieces: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>;
}

/**
 * A repository in a directory, in restic's default layout. Opening touches nothing; a directory that is not there
 * shows when its files are asked for (`backend.not-found`).
 */
export async function openLocal(options: LocalOptions): Promise<LocalBackend> {
  const { connections = 4, clock = systemClock, disk = systemDisk } = options;
  const root = resolve(options.path);
  const modes = await modesBeside(join(root, 'config'));
  const publish = publisher(disk);
  const removals = trackRemovals(disk.syncDirectory);
  const swept = new Set<string>();

  async function translated<T>(verb: string, handle: Handle, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      const failure = translateErrno(
        error,
        `${verb} ${describeHandle(handle)} in ${root}`,
        describeHandle(handle),
      );
      if (isFailure(failure, 'backend.not-found')) throw notFound(handle, root, error);
      if (isFailure(failure, 'backend.exists')) throw alreadyExists(handle, root, error);
      throw failure;
    }
  }

  const save = (handle: Handle, content: Content, signal?: AbortSignal): Promise<void> =>
    translated('save', handle, async () => {
      const directory = join(root, directoryOf(handle));
      const name = handle.type === 'config' ? 'config' : handle.name;
      // Before the first save to a directory, not after: a full disk is what leaves leftovers behind.
      if (!swept.has(directory)) {
        swept.add(directory);
        await sweepLeftovers(directory, clock.now());
      }
      try {
        await saveFile({ disk, publish, modes, root, directory, name }, content, signal);
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') throw gone(root, error);
        throw error;
      }
    });

  return {
    location: root,
    near: true,
    connections,

    save,
    saveFrom: save,

    load: (handle, range, signal) =>
      translated('read', handle, async () => {
        signal?.throwIfAborted();
        if (range !== undefined) requireRange(range);
        const read = await readRange(join(root, pathOf(handle)), range, signal);
        if (read.bytes.length < read.range.length)
          throw shortRead(handle, read.range, read.bytes.length, root);
        return read.bytes;
      }),

    stat: (handle, signal) =>
      translated('look at', handle, async () => {
        signal?.throwIfAborted();
        return { size: (await stat(join(root, pathOf(handle)))).size };
      }),

    async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<ListedFile> {
      try {
        yield* listFiles(root, type, signal);
      } catch (error) {
        throw translateErrno(error, `list the ${type} files in ${root}`, root);
      }
    },

    remove: (handle, signal) =>
      translated('remove', handle, async () => {
        signal?.throwIfAborted();
        const path = join(root, pathOf(handle));
        await removals.before(handle.type);
        await disk.unlink(path);
        removals.after(handle.type, join(root, directoryOf(handle)));
      }),

    close: () => removals.settle(),
  };
}

/**
 * Makes the directories of a new repository, durable, and opens it. `backend.exists` when a `config` is there
 * already; directories may be there, a first try may have been interrupted.
 */
export async function createLocal(options: LocalOptions): Promise<LocalBackend> {
  const { disk = systemDisk } = options;
  const backend = await openLocal(options);
  const root = backend.location;
  try {
    if (await disk.exists(join(root, 'config'))) throw alreadyExists(CONFIG, root);
    await makeNewDirectories(disk, root, OWNER_ONLY.directory);
  } catch (error) {
    throw translateErrno(error, `create a repository in ${root}`, root);
  }
  return backend;
}

function gone(root: string, cause: unknown): Failure {
  return new Failure('backend.unreachable', `The repository's directory ${root} is not there any more.`, {
    subject: root,
    hint: 'Is its disk still mounted?',
    cause,
  });
}
