import { constants } from 'node:os';
import { type SystemLibrary, systemError } from './library.ts';

/**
 * Where a sparse file has data. Offsets in bytes. Both move the descriptor's position, so read with explicit ones.
 * A file system that can't tell answers as if all were data, or throws EINVAL (some in user space).
 */
export interface Holes {
  /** The first offset from `offset` on that has data; undefined when only a hole follows, or nothing. */
  seekData(descriptor: number, offset: number): number | undefined;
  /** The first offset from `offset` on that is in a hole; the end of the file counts as one. */
  seekHole(descriptor: number, offset: number): number | undefined;
}

export function openHoles(library: SystemLibrary): Holes {
  const lseek = library.bind('int64_t lseek(int descriptor, int64_t offset, int whence)');
  const [data, hole] = library.platform === 'linux' ? [3, 4] : [4, 3];

  function seek(descriptor: number, offset: number, whence: number): number | undefined {
    const found = lseek(descriptor, offset, whence);
    if (found >= 0) return found;
    const errno = library.errno();
    if (errno === constants.errno.ENXIO) return undefined;
    throw systemError(errno, 'lseek');
  }

  return {
    seekData: (descriptor, offset) => seek(descriptor, offset, data),
    seekHole: (descriptor, offset) => seek(descriptor, offset, hole),
  };
}
