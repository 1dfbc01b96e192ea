import type { SftpSession } from './session.ts';
import { hasStatus, SftpError, STATUS } from './status.ts';
import { type Attributes, attributes, fields, OPEN_FLAGS, TYPE } from './wire.ts';

/*
 * What a server can be asked for, one function each. Paths are the server's. All reject with `SftpError` for what the
 * server refuses, and with a failure when the connection ends.
 */

/** Names an open file or directory within its session. */
export type OpenFile = Uint8Array;

export interface DirectoryEntry extends Attributes {
  readonly name: string;
}

export async function openToRead(
  session: SftpSession,
  path: string,
  signal?: AbortSignal,
): Promise<OpenFile> {
  return await openFile(session, [path, OPEN_FLAGS.read, ...attributes()], signal);
}

/** Fails with status `failure` when there is such a file. The mode holds for those who open it later, not for us. */
export async function createFile(
  session: SftpSession,
  path: string,
  mode: number,
  signal?: AbortSignal,
): Promise<OpenFile> {
  const flags = OPEN_FLAGS.write | OPEN_FLAGS.create | OPEN_FLAGS.exclusive;
  return await openFile(session, [path, flags, ...attributes(mode)], signal);
}

async function openFile(
  session: SftpSession,
  what: (string | number)[],
  signal?: AbortSignal,
): Promise<OpenFile> {
  const answer = await session.ask({ type: TYPE.open, fields: fields(...what), answer: TYPE.handle }, signal);
  return answer.string();
}

export async function closeFile(session: SftpSession, file: OpenFile, signal?: AbortSignal): Promise<void> {
  await session.ask({ type: TYPE.close, fields: fields(file) }, signal);
}

/** At most `length` bytes, of which there may be fewer; none at the end of the file. A view of what arrived. */
export async function readPiece(
  session: SftpSession,
  file: OpenFile,
  { offset, length }: { readonly offset: number; readonly length: number },
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const request = { type: TYPE.read, fields: fields(file, BigInt(offset), length), answer: TYPE.data };
  try {
    const piece = (await session.ask(request, signal)).string();
    if (piece.length <= length) return piece;
  } catch (error) {
    if (hasStatus(error, STATUS.endOfFile)) return new Uint8Array(0);
    throw error;
  }
  throw new SftpError(STATUS.badMessage, 'more was sent than asked for');
}

export async function writePiece(
  session: SftpSession,
  file: OpenFile,
  offset: number,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  await session.ask({ type: TYPE.write, fields: fields(file, BigInt(offset)), payload: bytes }, signal);
}

/** Makes a file durable where the server can; others keep it in their memory for as long as they like. */
export async function syncFile(session: SftpSession, file: OpenFile, signal?: AbortSignal): Promise<void> {
  if (!session.knows(FSYNC)) return;
  await session.ask({ type: TYPE.extended, fields: fields(FSYNC, file) }, signal);
}

export const FSYNC = 'fsync@openssh.com';

/** Of what a link leads to. */
export async function statusOf(
  session: SftpSession,
  path: string,
  signal?: AbortSignal,
): Promise<Attributes> {
  const request = { type: TYPE.stat, fields: fields(path), answer: TYPE.attributes };
  return (await session.ask(request, signal)).attributes();
}

export async function exists(session: SftpSession, path: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await session.ask({ type: TYPE.lstat, fields: fields(path), answer: TYPE.attributes }, signal);
    return true;
  } catch (error) {
    if (hasStatus(error, STATUS.noSuchFile)) return false;
    throw error;
  }
}

export async function removeFile(session: SftpSession, path: string, signal?: AbortSignal): Promise<void> {
  await session.ask({ type: TYPE.remove, fields: fields(path) }, signal);
}

/** As version 3 defines it: fails when the new name is taken. OpenSSH's server sees to that in one step, with link(2). */
export async function rename(
  session: SftpSession,
  from: string,
  to: string,
  signal?: AbortSignal,
): Promise<void> {
  await session.ask({ type: TYPE.rename, fields: fields(from, to) }, signal);
}

/** As rename(2): replaces what has the new name. */
export async function renameOver(
  session: SftpSession,
  from: string,
  to: string,
  signal?: AbortSignal,
): Promise<void> {
  await session.ask({ type: TYPE.extended, fields: fields(POSIX_RENAME, from, to) }, signal);
}

export const POSIX_RENAME = 'posix-rename@openssh.com';

export async function makeDirectory(
  session: SftpSession,
  path: string,
  mode: number,
  signal?: AbortSignal,
): Promise<void> {
  await session.ask({ type: TYPE.mkdir, fields: fields(path, ...attributes(mode)) }, signal);
}

/** All that is in a directory, links as links; without `.` and `..`. */
export async function readDirectory(
  session: SftpSession,
  path: string,
  signal?: AbortSignal,
): Promise<DirectoryEntry[]> {
  const opened = await session.ask({ type: TYPE.opendir, fields: fields(path), answer: TYPE.handle }, signal);
  const directory = opened.string();
  const entries: DirectoryEntry[] = [];
  try {
    for (;;) {
      const request = { type: TYPE.readdir, fields: fields(directory), answer: TYPE.name };
      const answer = await session.ask(request, signal);
      for (let left = answer.uint32(); left > 0; left--) {
        const name = answer.text();
        answer.string(); // a line as ls -l prints it
        const entry = { name, ...answer.attributes() };
        if (name !== '.' && name !== '..') entries.push(entry);
      }
    }
  } catch (error) {
    if (hasStatus(error, STATUS.endOfFile)) return entries;
    throw error;
  } finally {
    // Nothing rests on it, so nobody waits.
    closeFile(session, directory).catch(() => undefined);
  }
}

/** Bytes that the user may still write below a path; undefined where the server does not say. */
export async function freeSpace(
  session: SftpSession,
  path: string,
  signal?: AbortSignal,
): Promise<number | undefined> {
  if (!session.knows(STATVFS)) return undefined;
  const request = { type: TYPE.extended, fields: fields(STATVFS, path), answer: TYPE.extendedReply };
  const answer = await session.ask(request, signal);
  // statvfs(3), in the order of PROTOCOL in OpenSSH's sources.
  answer.uint64();
  const blockSize = answer.uint64();
  answer.uint64();
  answer.uint64();
  const freeBlocks = answer.uint64();
  answer.uint64();
  answer.uint64();
  const freeFiles = answer.uint64();
  return freeFiles === 0 ? 0 : freeBlocks * blockSize;
}

const STATVFS = 'statvfs@openssh.com';
