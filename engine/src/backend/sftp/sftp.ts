import { type Clock, systemClock } from '../../kernel/clock.ts';
import { Failure, isFailure } from '../../kernel/failure.ts';
import { type Backend, CONFIG, type Handle } from '../backend.ts';
import { alreadyExists, describeHandle, notFound, requireName, requireRange, shortRead } from '../handle.ts';
import { directoryOf, pathOf } from '../layout.ts';
import { type Modes, modesLike, OWNER_ONLY } from '../modes.ts';
import { trackRemovals } from '../removals.ts';
import { unlessAborted } from './abort.ts';
import { formatSftpAddress } from './address.ts';
import { exists, freeSpace, removeFile, statusOf } from './calls.ts';
import { directorySync, makeNewDirectories } from './directories.ts';
import { sweepLeftovers } from './leftovers.ts';
import { listFiles } from './list.ts';
import { readRange, sizeOf } from './load.ts';
import type { SftpOptions } from './options.ts';
import { sessionPool } from './pool.ts';
import { publisher, TAKEN } from './publish.ts';
import { pathBelow } from './remote-path.ts';
import { saveFile } from './save.ts';
import { SftpSession } from './session.ts';
import { startSsh } from './ssh-process.ts';
import { hasStatus, STATUS, translateSftpError } from './status.ts';

export interface SftpTools {
  readonly clock?: Clock;
}

/** A repository on a machine that ssh reaches, in restic's default layout. Opening connects to nothing. */
export async function openSftp(
  options: SftpOptions,
  { clock = systemClock }: SftpTools = {},
): Promise<Backend> {
  return connect(options, clock).backend;
}

/**
 * Makes the directories of a new repository, as durable as the server does, and opens it. `backend.exists` when a
 * `config` is there already; directories may be there, a first try may have been interrupted.
 */
export async function createSftp(
  options: SftpOptions,
  { clock = systemClock }: SftpTools = {},
): Promise<Backend> {
  const { backend, pool, root, syncDirectory } = connect(options, clock);
  try {
    using lease = await pool.lease();
    const { session } = lease;
    if (await exists(session, pathBelow(root, CONFIG.name))) throw alreadyExists(CONFIG, backend.location);
    await makeNewDirectories({ session, syncDirectory, modes: OWNER_ONLY, root });
    return backend;
  } catch (error) {
    await backend.close();
    throw translateSftpError(error, `create a repository in ${backend.location}`, backend.location);
  }
}

function connect(options: SftpOptions, clock: Clock) {
  const location = formatSftpAddress(options.place);
  const root = options.place.path;
  const pool = sessionPool(
    (closing) => SftpSession.open(startSsh(options.command), { location, timeout: options.timeout }, closing),
    options.connections,
  );
  const publish = publisher();
  const syncDirectory = directorySync();
  const removals = trackRemovals(async (directory) => {
    using lease = await pool.lease();
    await syncDirectory(lease.session, directory);
  });
  const swept = new Set<string>();
  let modes: Modes | undefined;

  /** Runs a call on a session of its own, and says in the failure what was wanted. */
  async function withSession<T>(
    verb: string,
    handle: Handle,
    signal: AbortSignal | undefined,
    call: (session: SftpSession) => Promise<T>,
  ): Promise<T> {
    try {
      signal?.throwIfAborted();
      requireName(handle);
      using lease = await pool.lease(signal);
      return await call(lease.session);
    } catch (error) {
      if (error === TAKEN) throw alreadyExists(handle, location);
      const subject = describeHandle(handle);
      const failure = translateSftpError(error, `${verb} ${subject} in ${location}`, subject);
      if (isFailure(failure, 'backend.not-found')) throw notFound(handle, location, error);
      throw failure;
    }
  }

  async function learnModes(session: SftpSession, signal?: AbortSignal): Promise<Modes> {
    try {
      const { mode } = await statusOf(session, pathBelow(root, CONFIG.name), signal);
      return mode === undefined ? OWNER_ONLY : modesLike(mode);
    } catch (error) {
      if (hasStatus(error, STATUS.noSuchFile)) return OWNER_ONLY;
      throw error;
    }
  }

  async function save(session: SftpSession, handle: Handle, data: Uint8Array, signal?: AbortSignal) {
    const directory = directoryOf(handle);
    const name = handle.type === 'config' ? CONFIG.name : handle.name;
    modes ??= await learnModes(session, signal);
    try {
      await Promise.all([
        sweepOnce(session, directory, signal),
        saveFile({ session, publish, syncDirectory, modes, root, directory, name }, data, signal),
      ]);
    } catch (error) {
      if (hasStatus(error, STATUS.noSuchFile)) throw gone(location, error);
      if (hasStatus(error, STATUS.failure)) await requireRoom(session, data.length, error, signal);
      throw error;
    }
  }

  /** Beside the first save to a directory, so that it costs no round trips. */
  async function sweepOnce(session: SftpSession, directory: string, signal?: AbortSignal): Promise<void> {
    if (swept.has(directory)) return;
    swept.add(directory);
    await sweepLeftovers(session, pathBelow(root, directory), clock.now(), signal);
  }

  /** Version 3 has no word for a full disk, so that after a failure we ask how much room there is. */
  async function requireRoom(session: SftpSession, length: number, cause: unknown, signal?: AbortSignal) {
    const free = await freeSpace(session, root, signal).catch(() => undefined);
    if (free === undefined || free >= length) return;
    throw new Failure('backend.full', `There is no room left in ${location}: ${free} bytes.`, {
      subject: location,
      hint: 'Is the disk of the server full, or a quota reached? df -h there tells.',
      cause,
    });
  }

  const backend: Backend = {
    location,
    connections: options.connections,
    save: (handle, data, signal) =>
      withSession('save', handle, signal, (session) => save(session, handle, data, signal)),
    load: (handle, range, signal) =>
      withSession('read', handle, signal, async (session) => {
        if (range !== undefined) requireRange(range);
        const read = await readRange(session, pathBelow(root, pathOf(handle)), range, signal);
        if (read.available === read.bytes.length) return read.bytes;
        throw shortRead(handle, read.range, read.available, location);
      }),
    stat: (handle, signal) =>
      withSession('look at', handle, signal, async (session) => ({
        size: await sizeOf(session, pathBelow(root, pathOf(handle)), signal),
      })),
    async *list(type, signal) {
      try {
        signal?.throwIfAborted();
        using lease = await pool.lease(signal);
        yield* listFiles(lease.session, root, type, signal);
      } catch (error) {
        throw translateSftpError(error, `list the ${type} files in ${location}`, location);
      }
    },
    remove: (handle, signal) =>
      withSession('remove', handle, signal, async (session) => {
        await unlessAborted(removals.before(handle.type), signal);
        await removeFile(session, pathBelow(root, pathOf(handle)), signal);
        removals.after(handle.type, pathBelow(root, directoryOf(handle)));
      }),
    close: async () => {
      try {
        await removals.settle();
      } finally {
        await pool.close();
      }
    },
  };
  return { backend, pool, root, syncDirectory };
}

function gone(location: string, cause: unknown): Failure {
  return new Failure('backend.unreachable', `The directory of ${location} is not there any more.`, {
    subject: location,
    hint: 'Is its disk still mounted on the server?',
    cause,
  });
}
