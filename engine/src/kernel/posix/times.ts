import { cString, type SystemLibrary, systemError } from './library.ts';

/** Nanoseconds since the epoch, negative before 1970. */
export interface FileTimes {
  readonly atime: bigint;
  readonly mtime: bigint;
}

/** Sets times to the nanosecond; node:fs takes doubles, which are some 240 ns off. */
export interface Times {
  /** Of the file itself: a symlink is not followed. */
  set(path: Buffer, times: FileTimes): void;
  setOf(descriptor: number, times: FileTimes): void;
}

export function openTimes(library: SystemLibrary): Times {
  const utimensat = library.bind(
    'int utimensat(int directory, const void *path, const void *times, int flags)',
  );
  const futimens = library.bind('int futimens(int descriptor, const void *times)');
  const [currentDirectory, noFollow] = library.platform === 'linux' ? [-100, 0x100] : [-2, 0x20];
  return {
    set(path, times) {
      if (utimensat(currentDirectory, cString(path), timespecs(times), noFollow) < 0) {
        throw systemError(library.errno(), 'utimensat', path);
      }
    },
    setOf(descriptor, times) {
      if (futimens(descriptor, timespecs(times)) < 0) throw systemError(library.errno(), 'futimens');
    },
  };
}

const SECOND = 1_000_000_000n;

/** `struct timespec[2]`: seconds (int64, rounded down) and nanoseconds (int64, 0…999999999) of atime, then mtime. */
function timespecs({ atime, mtime }: FileTimes): Buffer {
  const bytes = Buffer.allocUnsafe(32);
  for (const [index, time] of [atime, mtime].entries()) {
    const nanoseconds = ((time % SECOND) + SECOND) % SECOND;
    bytes.writeBigInt64LE((time - nanoseconds) / SECOND, index * 16);
    bytes.writeBigInt64LE(nanoseconds, index * 16 + 8);
  }
  return bytes;
}
