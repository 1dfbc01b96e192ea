import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, statfs, unlink } from 'node:fs/promises';

/**
 * The system calls of a spool, one method each, so that their order (which durability rests on) can be watched and
 * broken in a test. Paths are absolute. Errors are the system's own.
 */
export interface SpoolDisk {
  /** Opens for reading and writing; makes the file when it is missing, and never shortens one that is there. */
  openFile(path: string): Promise<SpoolFile>;
  readFile(path: string): Promise<Buffer>;
  rename(path: string, name: string): Promise<void>;
  unlink(path: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** Makes the entries of a directory durable: names that were added, renamed or removed. */
  syncDirectory(path: string): Promise<void>;
  /** Names of the plain files in a directory. */
  list(path: string): Promise<string[]>;
  /** Bytes that an ordinary user may still write there. */
  freeBytes(path: string): Promise<number>;
}

export interface SpoolFile {
  readonly descriptor: number;
  /** Bytes. */
  length(): Promise<number>;
  setLength(bytes: number): Promise<void>;
  /** Writes all of it, from `position` on. */
  write(pieces: readonly Uint8Array[], position: number): Promise<void>;
  /** Makes the content durable, and whatever is needed to read it again. */
  syncData(): Promise<void>;
  close(): Promise<void>;
}

export const systemSpoolDisk: SpoolDisk = {
  // Readable by their owner alone: a journal holds whatever the database holds.
  openFile: async (path) => spoolFile(await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)),
  readFile: (path) => readFile(path),
  rename,
  unlink,
  makeDirectory: async (path) => {
    await mkdir(path, { mode: 0o700 });
  },
  syncDirectory: async (path) => {
    await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    await directory.sync();
  },
  list: async (path) =>
    (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name),
  freeBytes: async (path) => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};

function spoolFile(handle: FileHandle): SpoolFile {
  return {
    descriptor: handle.fd,
    length: async () => (await handle.stat()).size,
    setLength: (bytes) => handle.truncate(bytes),
    write: (pieces, position) => writeAll(handle, pieces, position),
    syncData: () => handle.datasync(),
    close: () => handle.close(),
  };
}

/** writev(2) may write less than it was given, and takes no more than 1,024 pieces. */
async function writeAll(handle: FileHandle, pieces: readonly Uint8Array[], position: number): Promise<void> {
  let rest = pieces.filter(({ length }) => length > 0);
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest.slice(0, MOST_PIECES), at);
    at += bytesWritten;
    rest = without(rest, bytesWritten);
  }
}

function without(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  const first = pieces.findIndex(({ length }) => {
    if (length > left) return true;
    left -= length;
    return false;
  });
  if (first < 0) return [];
  return pieces.slice(first).map((piece, index) => (index === 0 ? piece.subarray(left) : piece));
}

const MOST_PIECES = 1024;
