import { constants } from 'node:fs';
import { access, link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { errnoOf } from './errno.ts';

/**
 * The system calls that change the disk, one method each, so that their order (which durability rests on) can be
 * watched and broken in a test. Paths are absolute. Errors are the system's own.
 */
export interface Disk {
  /** Fails with EEXIST when the path exists. */
  createFile(path: string, mode: number): Promise<NewFile>;
  /** Gives a file a second name; fails with EEXIST when that name exists. */
  link(path: string, name: string): Promise<void>;
  rename(path: string, name: string): Promise<void>;
  unlink(path: string): Promise<void>;
  makeDirectory(path: string, mode: number): Promise<void>;
  /** Makes the entries of a directory durable: names that were added, renamed or removed. */
  syncDirectory(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
}

export interface NewFile {
  write(data: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Some file systems (exFAT, some network mounts) have no modes: not being allowed to set one is no error. */
  setMode(mode: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Large enough to cost nothing, small enough that an abort is noticed on a slow disk. */
const WRITE_SLICE = 4 * 1024 * 1024;

export const systemDisk: Disk = {
  createFile: async (path, mode) => {
    const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
    return {
      write: async (data, signal) => {
        for (let done = 0; done < data.length; ) {
          signal?.throwIfAborted();
          const { bytesWritten } = await handle.write(data, done, Math.min(WRITE_SLICE, data.length - done));
          done += bytesWritten;
        }
      },
      setMode: (mode) =>
        unlessErrno(handle.chmod(mode), ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  link,
  rename,
  unlink,
  makeDirectory: async (path, mode) => {
    await mkdir(path, { mode });
  },
  syncDirectory: async (path) => {
    await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    // Some FUSE and SMB mounts cannot sync a directory at all; there is then nothing better to be had.
    await unlessErrno(directory.sync(), ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);
  },
  exists: async (path) => {
    try {
      await access(path, constants.F_OK);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  },
};

async function unlessErrno(call: Promise<void>, harmless: readonly string[]): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!harmless.includes(errnoOf(error) ?? '')) throw error;
  }
}
