import { describeBackend } from '../../testing/backend-suite.ts';
import { type MemoryFiles, openMemory } from './memory.ts';

describeBackend('memory', async () => {
  const files: MemoryFiles = new Map();
  return {
    backend: openMemory({ files }),
    reopen: async () => openMemory({ files }),
    addStrangers: async () => {
      for (const path of [
        'README',
        'data/ab/README',
        `data/00/${'ab'.repeat(32)}`,
        `keys/${'ab'.repeat(32)}-tmp-1`,
      ]) {
        files.set(path, new Uint8Array(1));
      }
    },
  };
});
