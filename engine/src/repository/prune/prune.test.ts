import { beforeAll, describe, expect, test } from 'vitest';
import { encodeIndexFile } from '../../format/index-file.ts';
import type { StoredSnapshot } from '../../format/types.ts';
import { noise } from '../../testing/backend-suite.ts';
import { flipBit, killedAfter, patientClock, SmallRepository } from '../../testing/small-repository.ts';
import { checkRepository } from '../check/check.ts';
import { forgetSnapshots } from '../forget.ts';
import { removeLocks } from '../lock-files.ts';
import { PackContents } from '../pack-contents.ts';
import type { Repository } from '../repository.ts';
import { pruneRepository } from './prune.ts';
import type { PruneOptions, PrunePlan } from './prune-plan.ts';

const PACK = 8_000;
let original: SmallRepository;
let snapshots: StoredSnapshot[];

/** Files of which the seeds tell the contents apart. */
function files(...seeds: number[]): Record<string, Uint8Array> {
  return Object.fromEntries(seeds.map((seed) => [`file-${seed}`, noise(3_000, seed)]));
}

/** Three snapshots, each with blobs of its own and blobs that others have, over several packs. */
beforeAll(async () => {
  original = await SmallRepository.create();
  const pack = { packSize: PACK };
  snapshots = [
    await original.backup({ a: files(1, 2, 3, 4), b: files(5, 6, 7, 8) }, '2026-01-01T00:00:00Z', pack),
    await original.backup(
      { a: files(1, 2, 9, 10), c: files(11, 12, 13), e: files(21, 22, 23, 5, 24, 25, 26, 27, 28) },
      '2026-01-02T00:00:00Z',
      pack,
    ),
    await original.backup(
      { c: files(11, 12, 13), d: files(14, 15, 5, 9, 21, 22) },
      '2026-01-03T00:00:00Z',
      pack,
    ),
  ];
});

async function prune(repository: Repository, options: PruneOptions = {}): Promise<PrunePlan> {
  const { plan, executed } = await pruneRepository(repository, {
    clock: patientClock,
    approve: () => true,
    packSize: PACK,
    maxUnused: { bytes: 0 },
    grace: 'none',
    ...options,
  });
  expect(executed).toBe(true);
  return plan;
}

/** Every byte is checked; nothing but garbage may be found. */
async function expectSound(repository: Repository): Promise<void> {
  const options = { clock: patientClock, random: Math.random, readData: 'all', threads: 1 } as const;
  const report = await checkRepository(repository, options);
  expect(report.findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
}

async function expectClean(repository: Repository): Promise<void> {
  const options = { clock: patientClock, random: Math.random, readData: 'all', threads: 1 } as const;
  const report = await checkRepository(repository, options);
  expect(report).toMatchObject({ findings: [], unused: { blobs: 0 } });
}

async function names(repository: Repository, type: 'pack' | 'index' | 'snapshot'): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of repository.backend.list(type)) found.push(name);
  return found.sort();
}

async function forgetMiddle(small: SmallRepository): Promise<void> {
  await small.repository.backend.remove({ type: 'snapshot', name: snapshots[1]?.id ?? '' });
}

describe('prune', () => {
  test('removes what no snapshot needs, and nothing else', async () => {
    const copy = original.clone();
    await forgetMiddle(copy);
    const plan = await prune(copy.repository);
    expect(plan.totals.repacked.packs).toBeGreaterThan(0);
    expect(plan.totals.freed).toBeGreaterThan(3 * 3_000);
    await expectClean(copy.repository);
    const again = await prune(copy.repository);
    expect(again.idle).toBe(true);
  });

  test('empties a repository without snapshots', async () => {
    const copy = original.clone();
    for (const { id } of snapshots) await copy.repository.backend.remove({ type: 'snapshot', name: id });
    await prune(copy.repository);
    expect([await names(copy.repository, 'pack'), await names(copy.repository, 'index')]).toEqual([[], []]);
  });

  test('does nothing that was not approved', async () => {
    const copy = original.clone();
    await forgetMiddle(copy);
    const before = new Map(copy.files);
    const { executed, plan } = await pruneRepository(copy.repository, {
      clock: patientClock,
      approve: () => false,
    });
    expect(executed).toBe(false);
    expect(plan.totals.marked.bytes).toBeGreaterThan(0);
    expect(copy.files).toEqual(before);
  });

  test('touches nothing when there is nothing to do', async () => {
    const copy = original.clone();
    const before = new Map(copy.files);
    expect((await prune(copy.repository)).idle).toBe(true);
    expect(copy.files).toEqual(before);
  });

  test('removes packs that no index names', async () => {
    const copy = original.clone();
    const stray = 'ab'.repeat(32);
    await copy.repository.backend.save({ type: 'pack', name: stray }, noise(500));
    expect((await prune(copy.repository)).unreferenced).toEqual([{ id: stray, size: 500 }]);
    await expectClean(copy.repository);
  });

  test('forgets packs that are gone and that nobody needs', async () => {
    const copy = original.clone();
    await forgetMiddle(copy);
    const { totals, packs } = await prune(copy.clone().repository, { maxUnused: 'unlimited' });
    expect(totals.removed.packs).toBeGreaterThan(0);
    for (const { id, action } of packs) {
      if (action === 'remove') await copy.repository.backend.remove({ type: 'pack', name: id });
    }
    expect((await prune(copy.repository)).gone).toHaveLength(totals.removed.packs);
    await expectClean(copy.repository);
  });

  test('does not run beside anybody', async () => {
    const copy = original.clone();
    const other = { hostname: 'elsewhere', username: 'u', pid: 1, uid: 0, gid: 0 };
    const lock = { time: new Date().toISOString(), exclusive: false, ...other };
    await copy.repository.saveFile('lock', Buffer.from(JSON.stringify(lock)));
    await expect(prune(copy.repository)).rejects.toMatchObject({ code: 'repository.locked' });
  });

  test('removes nothing when somebody saves a snapshot in spite of the lock', async () => {
    const copy = original.clone();
    await forgetMiddle(copy);
    const packs = await names(copy.repository, 'pack');
    const running = pruneRepository(copy.repository, {
      clock: patientClock,
      maxUnused: { bytes: 0 },
      grace: 'none',
      approve: async () => {
        await copy.saveSnapshot(snapshots[1]?.tree ?? ('' as never), '2026-01-04T00:00:00Z');
        return true;
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'repository.lock-lost' });
    expect(await names(copy.repository, 'pack')).toEqual(expect.arrayContaining(packs));
    await expectSound(copy.repository);
  });
});

describe('damage', () => {
  async function expectRefused(copy: SmallRepository): Promise<void> {
    const kinds = ['pack', 'index', 'snapshot'] as const;
    const before = await Promise.all(kinds.map((kind) => names(copy.repository, kind)));
    await expect(prune(copy.repository)).rejects.toMatchObject({ code: 'repository.damaged' });
    for (const [at, kind] of kinds.entries()) {
      expect(await names(copy.repository, kind)).toEqual(expect.arrayContaining(before[at] ?? []));
    }
  }

  test('a pack that snapshots need and that is gone stops it before anything is removed', async () => {
    for (const name of await names(original.repository, 'pack')) {
      const copy = original.clone();
      await copy.repository.backend.remove({ type: 'pack', name });
      await expectRefused(copy);
    }
  });

  test('an index file that is gone or cannot be read stops it', async () => {
    for (const name of await names(original.repository, 'index')) {
      const gone = original.clone();
      await gone.repository.backend.remove({ type: 'index', name });
      await expectRefused(gone);
      const damaged = original.clone();
      await damaged.damage({ type: 'index', name }, flipBit(30));
      await expectRefused(damaged);
    }
  });

  test('a snapshot that cannot be read stops it: nobody knows what it needs', async () => {
    const copy = original.clone();
    await copy.damage({ type: 'snapshot', name: snapshots[0]?.id ?? '' }, flipBit(30));
    await expectRefused(copy);
  });

  test('a damaged blob that would have to be written anew stops it', async () => {
    const copy = original.clone();
    await forgetMiddle(copy);
    const plan = await prune(copy.clone().repository);
    const victim = plan.packs.find(({ action, type }) => action === 'repack' && type === 'data');
    const { index } = await copy.repository.loadIndex();
    const blobs = PackContents.of(index).blobsOf(index.packs.indexOf(victim?.id ?? ('' as never)));
    for (const { offset } of blobs) {
      const damaged = copy.clone();
      await damaged.damage({ type: 'pack', name: victim?.id ?? '' }, flipBit(offset + 50));
      const before = await names(damaged.repository, 'pack');
      try {
        await prune(damaged.repository);
        // It was the one that nobody needs.
        await expectClean(damaged.repository);
      } catch (error) {
        expect(error).toMatchObject({ code: 'repository.damaged' });
        expect(await names(damaged.repository, 'pack')).toEqual(expect.arrayContaining(before));
      }
    }
    expect(blobs.length).toBeGreaterThan(1);
  });
});

describe('packs that rustic has marked', () => {
  async function mark(copy: SmallRepository): Promise<void> {
    const { index } = await copy.repository.loadIndex();
    const contents = PackContents.of(index);
    const packs = index.packs.map((id, number) => ({ id, blobs: contents.blobsOf(number) }));
    for (const name of index.files) await copy.repository.backend.remove({ type: 'index', name });
    const marked = packs.map((pack) => ({ ...pack, time: '2026-01-03T00:00:00Z' }));
    await copy.repository.saveFile('index', encodeIndexFile(packs.slice(0, 2), marked.slice(2)));
  }

  test('lose the mark while a snapshot needs them, and go otherwise', async () => {
    const copy = original.clone();
    await forgetMiddle(copy);
    await mark(copy);
    await prune(copy.repository);
    await expectClean(copy.repository);
    expect((await copy.repository.loadIndex()).index.marked()).toEqual([]);
  });
});

describe('blobs that are stored twice', () => {
  test('are kept once', async () => {
    const copy = original.clone();
    const index = await names(copy.repository, 'index');
    const saved = await Promise.all(
      index.map(async (name) => ({
        name,
        bytes: await copy.repository.backend.load({ type: 'index', name }),
      })),
    );
    for (const { name } of saved) await copy.repository.backend.remove({ type: 'index', name });
    await copy.backup({ a: files(1, 2, 3, 4), e: files(20) }, '2026-01-05T00:00:00Z', { packSize: PACK });
    for (const { name, bytes } of saved) await copy.repository.backend.save({ type: 'index', name }, bytes);

    const plan = await prune(copy.repository);
    expect(plan.packs.some(({ duplicate }) => duplicate.blobs > 0)).toBe(true);
    await expectClean(copy.repository);
    expect((await copy.repository.loadIndex()).index.copies().size).toBe(0);
  });
});

describe('killed after any number of writes', () => {
  test('prune leaves every snapshot whole, and the next one completes', { timeout: 120_000 }, async () => {
    const garbage = original.clone();
    await forgetMiddle(garbage);
    await garbage.repository.backend.save({ type: 'pack', name: 'cd'.repeat(32) }, noise(100));
    let writes = 0;
    for (let killed = true; killed; writes += 1) {
      const copy = garbage.clone();
      killed = await prune(copy.behind(killedAfter(writes))).then(
        () => false,
        () => true,
      );
      await removeLocks(copy.repository, { all: true, clock: patientClock });
      await expectSound(copy.repository);
      await prune(copy.repository);
      await expectClean(copy.repository);
    }
    expect(writes).toBeGreaterThan(10);
  });

  test('forget leaves what was to stay, and of the rest the newest', async () => {
    const ids = snapshots.slice(0, 2).map(({ id }) => id);
    for (const [writes, left] of [
      [0, 3],
      [1, 3],
      [2, 2],
      [3, 1],
    ] as const) {
      const copy = original.clone();
      const forgetting = forgetSnapshots(copy.behind(killedAfter(writes)), ids.toReversed(), {
        clock: patientClock,
      });
      if (writes < 3) await expect(forgetting).rejects.toMatchObject({ code: 'backend.io' });
      await forgetting.catch(() => undefined);
      await removeLocks(copy.repository, { all: true, clock: patientClock });
      expect((await copy.repository.loadSnapshots()).map(({ id }) => id)).toEqual(
        snapshots.slice(3 - left).map(({ id }) => id),
      );
      await expectSound(copy.repository);
    }
  });
});

describe('forget', () => {
  test('removes the snapshots it is told, tells which, and keeps the others', async () => {
    const copy = original.clone();
    const ids = snapshots.slice(1).map(({ id }) => id);
    const told: string[] = [];
    const removed = await forgetSnapshots(copy.repository, [...ids, 'ee'.repeat(32) as never], {
      clock: patientClock,
      onRemoved: (id) => told.push(id),
    });
    expect(removed).toEqual(ids);
    expect(told).toEqual(ids);
    expect(await names(copy.repository, 'snapshot')).toEqual([snapshots[0]?.id]);
  });

  test('removes a snapshot that cannot be read', async () => {
    const copy = original.clone();
    const [id] = snapshots.map((snapshot) => snapshot.id);
    if (id === undefined) throw new Error('no snapshot');
    await copy.damage({ type: 'snapshot', name: id }, flipBit(30));
    expect(await forgetSnapshots(copy.repository, [id], { clock: patientClock })).toEqual([id]);
  });
});
