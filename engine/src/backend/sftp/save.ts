import { mapConcurrently } from '../../kernel/concurrency.ts';
import type { Modes } from '../modes.ts';
import { temporaryName } from '../temporary-name.ts';
import { withGrace } from './abort.ts';
import { closeFile, createFile, type OpenFile, removeFile, syncFile, writePiece } from './calls.ts';
import { makeDirectoryBelow, type SyncDirectory } from './directories.ts';
import { type Publish, TAKEN } from './publish.ts';
import { pathBelow } from './remote-path.ts';
import type { SftpSession } from './session.ts';
import { hasStatus, STATUS } from './status.ts';
import { type Piece, piecesInFlight, piecesOf } from './window.ts';

export interface SaveTarget {
  readonly session: SftpSession;
  readonly publish: Publish;
  readonly syncDirectory: SyncDirectory;
  readonly modes: Modes;
  /** The repository's directory, and the file's directory below it (`data/1a`). */
  readonly root: string;
  readonly directory: string;
  readonly name: string;
}

/**
 * Writes a file so that it is either there, whole and as durable as the server makes it, or not there:
 *
 *     1. create <name>-tmp-<random>      in the same directory, read-only for all who open it later
 *     2. write, many pieces on their way at once
 *     3. fsync the file                  before it has its name: a name must never outlive its content
 *     4. rename to <name>, unless taken
 *     5. fsync the directory             before it is acknowledged
 *
 * Up to 4 the signal is obeyed; what is left then takes moments, and has seconds once the signal has aborted. Rejects
 * with `TAKEN` when there is such a file.
 */
export async function saveFile(target: SaveTarget, data: Uint8Array, signal?: AbortSignal): Promise<void> {
  const { session, publish, syncDirectory } = target;
  const directory = pathBelow(target.root, target.directory);
  const temporary = pathBelow(directory, temporaryName(target.name));
  try {
    await writeDurably(target, temporary, data, signal);
    signal?.throwIfAborted();
    await withGrace(signal, (late) => publish(session, temporary, pathBelow(directory, target.name), late));
  } catch (error) {
    // For what is being given up anyway: the error that led here says more than one from cleaning up.
    await withGrace(signal, (late) => removeFile(session, temporary, late)).catch(() => undefined);
    // Whoever hears "exists" takes the file as saved, but the save that named it may not have got to its sync.
    if (error === TAKEN) await withGrace(signal, (late) => syncDirectory(session, directory, late));
    throw error;
  }
  await withGrace(signal, (late) => syncDirectory(session, directory, late));
}

async function writeDurably(
  target: SaveTarget,
  path: string,
  data: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  const { session } = target;
  const file = await create(target, path, signal);
  const { write } = session.pieces;
  const send = ({ at, length }: Piece) =>
    writePiece(session, file, at, data.subarray(at, at + length), signal);
  try {
    await mapConcurrently(piecesOf(data.length, write), piecesInFlight(write), send);
  } catch (error) {
    closeFile(session, file).catch(() => undefined);
    throw error;
  }
  // What concerns one file a server does in the order in which it was asked, so both go at once.
  await Promise.all([syncFile(session, file, signal), closeFile(session, file, signal)]);
}

/** Packs' directories may be missing: other programs create them when needed, and copying tools drop empty ones. */
async function create(target: SaveTarget, path: string, signal?: AbortSignal): Promise<OpenFile> {
  const { session, modes } = target;
  try {
    return await createFile(session, path, modes.file, signal);
  } catch (error) {
    if (!hasStatus(error, STATUS.noSuchFile)) throw error;
    await makeDirectoryBelow(target, target.directory, signal);
    return await createFile(session, path, modes.file, signal);
  }
}
