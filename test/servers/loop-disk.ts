import { release } from 'node:os';
import { LoopDisk } from '../scenes/loop-disk.ts';
import type { Obtained, Server, Unavailable } from './server.ts';

/** A disk whose power can be cut. It needs no installation, but root and the kernel's leave. */
export const loopDisk: Server = {
  name: 'loop disk',
  obtain: async () => {
    if (process.getuid?.() !== 0)
      return { unavailable: 'a disk whose power can be cut needs root (mount, losetup)' };
    return tryOne();
  },
};

function tryOne(): Obtained | Unavailable {
  let disk: LoopDisk;
  try {
    disk = new LoopDisk(16);
  } catch (error) {
    const unavailable = `a disk whose power can be cut is not to be had: ${firstLineOf(error)}`;
    // A container may have root and yet no leave to mount. Where only mkfs is missing, somebody can install it.
    const installable = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return installable ? { unavailable } : { unavailable, impossible: true };
  }
  using _ = disk;
  try {
    disk.cutPower();
    return { path: 'mount', version: release() };
  } catch (error) {
    return { unavailable: `the power of a disk cannot be cut: ${firstLineOf(error)}` };
  }
}

/** What `mkfs` or `mount` said, or what kept them from being run. */
function firstLineOf(error: unknown): string | undefined {
  const { stderr, message } = error as { stderr?: Buffer | null; message: string };
  return (stderr?.toString().trim() || message).split('\n')[0];
}
