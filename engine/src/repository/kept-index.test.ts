import { expect, test } from 'vitest';
import { withWriteLock } from '../archive/backup/write-lock.ts';
import { WritingSession } from '../archive/backup/writing-session.ts';
import type { Backend } from '../backend/backend.ts';
import { type MemoryFiles, openMemory } from '../backend/memory/memory.ts';
import type { Node } from '../format/types.ts';
import type { Id } from '../kernel/id.ts';
import { patientClock as clock } from '../testing/small-repository.ts';
import { KeptIndex } from './kept-index.ts';
import { createRepository } from './open.ts';
import { pruneRepository } from './prune/prune.ts';
import type { Repository } from './repository.ts';

async function repositoryOn(files: MemoryFiles): Promise<{ repository: Repository; loads: () => number }> {
  let loads = 0;
  const memory = openMemory({ files });
  const backend: Backend = Object.assign(Object.create(memory) as Backend, {
    load: (...args: Parameters<Backend['load']>) => {
      if (args[0].type === 'index') loads += 1;
      return memory.load(...args);
    },
  });
  const repository = await createRepository(backend, 'pw', { clock, kdf: { N: 2, r: 8, p: 1 } });
  return { repository, loads: () => loads };
}

/** Stores one file's content; answers its id. */
async function store(repository: Repository, text: string, kept?: KeptIndex, fails = false): Promise<Id> {
  const lock = {
    clock,
    dryRun: false,
    retryFor: 0,
    signal: undefined,
    ...(kept === undefined ? {} : { kept }),
  };
  return await withWriteLock(repository, lock, async ({ indexed, mayWrite }) => {
    await mayWrite;
    const session = new WritingSession(indexed, { clock, mayWrite, workers: 1 });
    const id = await session.saveTree([{ ...FILE, name: Buffer.from(text) }]);
    if (fails) {
      await session.abandon();
      throw new Error('it failed');
    }
    await session.finish();
    return id;
  });
}

const FILE: Omit<Node, 'name'> = {
  type: 'file',
  mode: 0o600,
  mtime: 0n,
  atime: 0n,
  ctime: 0n,
  uid: 0,
  gid: 0,
  user: '',
  group: '',
  inode: 0n,
  deviceId: 0n,
  links: 1,
  size: 0,
  content: [],
  extendedAttributes: [],
  device: 0n,
};

test('only what was added is read, whoever added it', async () => {
  const { repository, loads } = await repositoryOn(new Map());
  const kept = new KeptIndex(repository);
  for (let number = 0; number < 5; number += 1) await store(repository, `ours ${number}`, kept);
  // What we write ourselves we know.
  expect(loads()).toBe(0);
  const theirs = await store(repository, 'theirs');
  const before = loads();
  const { index } = await kept.current();
  expect(loads() - before).toBe(1);
  expect(index.has('tree', theirs)).toBe(true);
  expect((await kept.current()).index).toBe(index);
  expect(loads() - before).toBe(1);
});

test('after a prune nothing that it removed is believed to be there', async () => {
  const { repository } = await repositoryOn(new Map());
  const kept = new KeptIndex(repository);
  const id = await store(repository, 'nobody refers to this', kept);
  await pruneRepository(repository, { clock, approve: () => true, maxUnused: { bytes: 0 } });
  expect((await kept.current()).index.has('tree', id)).toBe(false);
  expect(await store(repository, 'nobody refers to this', kept)).toBe(id);
  expect((await repository.loadIndex()).index.has('tree', id)).toBe(true);
});

test('what work that failed had claimed is stored by the next', async () => {
  const { repository } = await repositoryOn(new Map());
  const kept = new KeptIndex(repository);
  await kept.current();
  await expect(store(repository, 'a', kept, true)).rejects.toThrow('it failed');
  const id = await store(repository, 'a', kept);
  expect((await repository.loadIndex()).index.has('tree', id)).toBe(true);
});
