import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { describeBackend, type OpenedForTest } from '../../testing/backend-suite.ts';
import { type Disk, systemDisk } from './disk.ts';
import { createLocal, openLocal } from './local.ts';

const base = mkdtempSync(join(tmpdir(), 'holdfast-local-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

async function openNew(disk: Disk): Promise<OpenedForTest> {
  const path = mkdtempSync(join(base, 'repository-'));
  return {
    backend: await createLocal({ path, disk }),
    reopen: () => openLocal({ path, disk }),
    addStrangers: async () => {
      const id = 'ab'.repeat(32);
      for (const directory of ['', 'keys', 'locks', 'snapshots', 'index', 'data', 'data/00', 'data/ab']) {
        writeFileSync(join(path, directory, 'README'), 'not ours');
        writeFileSync(join(path, directory, `${id}-tmp-0123456789abcdef`), 'half');
        writeFileSync(join(path, directory, `config-tmp-0123456789abcdef`), 'half');
        writeFileSync(join(path, directory, `${id}-tmp-1234567`), 'half, by restic');
        mkdirSync(join(path, directory, 'cd'.repeat(32)));
      }
      writeFileSync(join(path, 'data', id), 'misplaced');
      writeFileSync(join(path, 'data', '00', id), 'misplaced');
      symlinkSync('/nowhere', join(path, 'keys', 'ef'.repeat(32)));
    },
  };
}

describeBackend('local', () => openNew(systemDisk));

describeBackend('local without hard links', () =>
  openNew({
    ...systemDisk,
    link: async () => {
      throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM', errno: -1 });
    },
  }),
);
