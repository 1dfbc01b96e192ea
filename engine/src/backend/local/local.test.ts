import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { sha256Id } from '../../kernel/hash.ts';
import { describeBackend, noise, type OpenedForTest } from '../../testing/backend-suite.ts';
import { CONFIG } from '../backend.ts';
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
    link: refuse('EPERM'),
  }),
);

describe('a local repository', () => {
  let path: string;
  const data = noise(1000);
  const id = sha256Id(data);
  const pack = { type: 'pack', name: id } as const;

  beforeEach(() => {
    path = join(mkdtempSync(join(base, 'r-')), 'repository');
  });

  test.each([
    ['ENOSPC', 'backend.full'],
    ['EDQUOT', 'backend.full'],
    ['EROFS', 'backend.denied'],
    ['EACCES', 'backend.denied'],
    ['EIO', 'backend.io'],
    ['ESTALE', 'backend.io'],
  ])('a write that the system refuses with %s is %s, and leaves nothing behind', async (errno, code) => {
    await createLocal({ path });
    const disk: Disk = {
      ...systemDisk,
      createFile: async (path, mode) => ({
        ...(await systemDisk.createFile(path, mode)),
        write: refuse(errno),
      }),
    };
    const backend = await openLocal({ path, disk });
    await expect(backend.save({ type: 'snapshot', name: id }, data)).rejects.toMatchObject({ code });
    expect(readdirSync(join(path, 'snapshots'))).toEqual([]);
  });

  test('a repository whose disk was unmounted is not begun anew in the empty mount point', async () => {
    const backend = await createLocal({ path });
    rmSync(path, { recursive: true });
    await expect(backend.save(pack, data)).rejects.toMatchObject({ code: 'backend.unreachable' });
    expect(readdirSync(dirname(path))).not.toContain(basename(path));
  });

  test('what a killed save left a day ago is cleared by the next save beside it; what is younger stays', async () => {
    const backend = await createLocal({ path });
    const directory = join(path, 'index');
    const names = ['a', 'b'].map((digit) => `${digit.repeat(64)}-tmp-0123456789abcdef`);
    for (const name of [...names, 'notes-tmp-0123456789abcdef']) writeFileSync(join(directory, name), 'half');
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
    for (const name of [names[0] as string, 'notes-tmp-0123456789abcdef'])
      utimesSync(join(directory, name), twoDaysAgo, twoDaysAgo);
    await backend.save({ type: 'index', name: id }, data);
    expect(readdirSync(directory).sort()).toEqual([id, names[1], 'notes-tmp-0123456789abcdef'].sort());
  });

  test('files are read-only for the owner, and for the group when the config is readable for the group', async () => {
    const backend = await createLocal({ path });
    await backend.save(CONFIG, data);
    expect(statSync(join(path, 'config')).mode & 0o777).toBe(0o400);
    expect(statSync(join(path, 'keys')).mode & 0o777).toBe(0o700);
    rmSync(join(path, 'config'));
    writeFileSync(join(path, 'config'), data, { mode: 0o640 });
    const shared = await openLocal({ path });
    await shared.save({ type: 'key', name: id }, data);
    expect(statSync(join(path, 'keys', id)).mode & 0o777).toBe(0o440);
  });

  test('a repository is not created over another', async () => {
    const backend = await createLocal({ path });
    await backend.save(CONFIG, data);
    await expect(createLocal({ path })).rejects.toMatchObject({ code: 'backend.exists' });
    expect(await backend.load(CONFIG)).toEqual(data);
  });
});

function refuse(errno: string) {
  return async (): Promise<never> => {
    throw Object.assign(new Error(`${errno}: refused for the test, call`), { code: errno, errno: -1 });
  };
}
