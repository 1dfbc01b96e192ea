import { release } from 'node:os';
import { LoopDisk } from '../scenes/loop-disk.ts';
import type { Server } from './server.ts';

/** A disk whose power can be cut. It needs no installation, but root and the kernel's leave. */
export const loopDisk: Server = {
  name: 'loop disk',
  obtain: async () => {
    if (process.getuid?.() !== 0)
      return { unavailable: 'a disk whose power can be cut needs root (mount, losetup)' };
    try {
      using disk = new LoopDisk(16);
      disk.cutPower();
      return { path: 'mount', version: release() };
    } catch (error) {
      const [firstLine] = (error instanceof Error ? error.message : String(error)).split('\n');
      return { unavailable: `a disk whose power can be cut is not to be had: ${firstLine}` };
    }
  },
};
