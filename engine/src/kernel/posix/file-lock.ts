import { constants } from 'node:os';
import { type SystemLibrary, systemError } from './library.ts';

/**
 * Takes flock(2) on an open descriptor, exclusively and without waiting; false when another process (or another
 * descriptor of this one) has it. The kernel gives it back when the descriptor is closed, also by kill -9: nothing
 * stale stays behind, which no file with a process id in it can promise.
 */
export type TryLock = (descriptor: number) => boolean;

export function openFileLock(library: SystemLibrary): TryLock {
  const flock = library.bind('int flock(int descriptor, int operation)');
  const [exclusive, withoutWaiting] = [2, 4];
  return (descriptor) => {
    if (flock(descriptor, exclusive | withoutWaiting) === 0) return true;
    const errno = library.errno();
    if (errno === constants.errno.EWOULDBLOCK) return false;
    throw systemError(errno, 'flock');
  };
}
