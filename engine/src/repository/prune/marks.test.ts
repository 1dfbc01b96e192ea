import { beforeAll, describe, expect, test } from 'vitest';
import { encodeLock } from '../../format/lock.ts';
import type { StoredSnapshot } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import { noise } from '../../testing/backend-suite.ts';
import { killedAfter, patientClock, SmallRepository } from '../../testing/small-repository.ts';
import { checkRepository } from '../check/check.ts';
import { listLocks, removeLocks } from '../lock-files.ts';
import { takeLock } from '../locks.ts';
import type { Repository } from '../repository.ts';
import { type PruneResult, type PruneRun, pruneRepository } from './prune.ts';

const PACK = 8_000;
const HOUR = 3_600_000;
let original: SmallRepository;
let snapshots: StoredSnapshot[];

function files(...seeds: number[]): Record<string, Uint8Array> {
  return Object.fromEntries(seeds.map((seed) => [`file-${seed}`, noise(3_000, seed)]));
}

const ONLY_FIRST = { a: files(1, 2, 3, 4, 5, 6, 7, 8, 9) };

/** What only the first snapshot needs fills whole packs, and parts of others. */
beforeAll(async () => {
  original = await SmallRepository.create();
  const pack = { packSize: PACK };
  snapshots = [
    await original.backup(ONLY_FIRST, '2026-01-01T00:00:00Z', pack),
    await original.backup({ b: files(8, 9, 10, 11, 12) }, '2026-01-02T00:00:00Z', pack),
  ];
});

function hoursFromNow(hours: number): Clock {
  return { ...patientClock, now: () => Date.now() + hours * HOUR };
}

async function prune(repository: Repository, changes: Partial<PruneRun> = {}): Promise<PruneResult> {
  const run = {
    clock: patientClock,
    approve: () => true,
    packSize: PACK,
    maxUnused: { bytes: 0 },
    waitAlone: 0,
  };
  return await pruneRepository(repository, { ...run, ...changes });
}

/** A clone of which the first snapshot is forgotten. */
async function forgotten(): Promise<SmallRepository> {
  const copy = original.clone();
  await copy.repository.backend.remove({ type: 'snapshot', name: snapshots[0]?.id ?? '' });
  return copy;
}

async function names(repository: Repository, type: 'pack' | 'index' | 'snapshot'): Promise<string[]> {
  return (await Array.fromAsync(repository.backend.list(type), ({ name }) => name)).sort();
}

async function worst(repository: Repository): Promise<string[]> {
  const options = { clock: patientClock, random: Math.random, readData: 'all', threads: 1 } as const;
  const { findings } = await checkRepository(repository, options);
  return findings.filter(({ severity }) => severity !== 'note').map(({ message }) => message);
}

async function markedPacks(repository: Repository): Promise<string[]> {
  return (await repository.loadIndex()).index.marked().map(({ id }) => id);
}

/** A repository with marks, from which nothing was removed yet. */
async function withMarks(): Promise<SmallRepository> {
  const copy = await forgotten();
  await prune(copy.repository);
  return copy;
}

describe('two prunes, with a grace between them', () => {
  test('the first marks what nobody needs and removes nothing, the second removes it', async () => {
    const copy = await forgotten();
    const before = await names(copy.repository, 'pack');
    const first = await prune(copy.repository);
    expect(first.plan.totals.marked.packs).toBeGreaterThan(2);
    expect(first.plan.totals.removed.packs).toBe(0);
    expect(await names(copy.repository, 'pack')).toEqual(expect.arrayContaining(before));
    expect(await markedPacks(copy.repository)).toHaveLength(first.plan.totals.marked.packs);
    expect(await worst(copy.repository)).toEqual([]);

    const early = await prune(copy.repository, { clock: hoursFromNow(22) });
    expect(early.plan).toMatchObject({ idle: true, totals: { waiting: first.plan.totals.marked } });

    const second = await prune(copy.repository, { clock: hoursFromNow(24) });
    expect(second.plan.totals.removed).toEqual(first.plan.totals.marked);
    expect(await markedPacks(copy.repository)).toEqual([]);
    expect((await names(copy.repository, 'pack')).length).toBeLessThan(before.length);
    expect(await worst(copy.repository)).toEqual([]);
    expect((await prune(copy.repository)).plan.idle).toBe(true);
  });

  test('the time of a mark is when the index says it, not when it was planned', async () => {
    const copy = await forgotten();
    let now = Date.now();
    const clock = { ...patientClock, now: () => now };
    await prune(copy.repository, {
      clock,
      approve: () => {
        now += 5 * HOUR;
        return true;
      },
    });
    const times = (await copy.repository.loadIndex()).index
      .marked()
      .map(({ time }) => Date.parse(time ?? ''));
    expect(new Set(times)).toEqual(new Set([now]));
  });

  test('a pack that no index names is marked as well, and removed after the grace', async () => {
    const copy = original.clone();
    const stray = 'ab'.repeat(32);
    await copy.repository.backend.save({ type: 'pack', name: stray }, noise(500));
    await prune(copy.repository);
    expect(await markedPacks(copy.repository)).toContain(stray);
    expect(await names(copy.repository, 'pack')).toContain(stray);
    await prune(copy.repository, { clock: hoursFromNow(24) });
    expect(await names(copy.repository, 'pack')).not.toContain(stray);
    expect(await worst(copy.repository)).toEqual([]);
  });

  test('what is marked is stored anew by the next backup, and can still be read meanwhile', async () => {
    const copy = await withMarks();
    const [marked] = (await copy.repository.loadIndex()).index.marked().flatMap(({ blobs }) => blobs);
    expect((await copy.repository.loadIndex()).index.has(marked!.type, marked!.id)).toBe(false);
    const reading = await copy.repository.loadIndexToRead();
    expect(await reading.loadBlob(marked!.type, marked!.id)).toBeInstanceOf(Buffer);

    await copy.backup(ONLY_FIRST, '2026-01-03T00:00:00Z', { packSize: PACK });
    await prune(copy.repository, { clock: hoursFromNow(24) });
    expect(await worst(copy.repository)).toEqual([]);
  });
});

test('the many small index files of a journal become one', async () => {
  const copy = original.clone();
  for (let slice = 0; slice < 25; slice += 1) {
    await copy.backup({ slice: noise(100, 500 + slice) }, `2026-02-01T00:00:${10 + slice}Z`);
  }
  // The packs are small as well; that they are joined is another matter.
  const { plan } = await prune(copy.repository, { maxRepackBytes: 0 });
  expect(plan.indexFiles).toBeGreaterThan(25);
  expect(await names(copy.repository, 'index')).toHaveLength(1);
  expect(await worst(copy.repository)).toEqual([]);
  expect((await prune(copy.repository, { maxRepackBytes: 0 })).plan.idle).toBe(true);
});

describe('beside others', () => {
  async function foreignLock(repository: Repository): Promise<void> {
    const other = { hostname: 'elsewhere', username: 'u', pid: 1, uid: 0, gid: 0 };
    await repository.saveFile(
      'lock',
      encodeLock({ time: new Date().toISOString(), exclusive: false, ...other }),
    );
  }

  test('while somebody has a lock nothing is marked or removed, and that is no failure', async () => {
    const copy = await withMarks();
    await copy.repository.backend.remove({ type: 'snapshot', name: snapshots[1]?.id ?? '' });
    await foreignLock(copy.repository);
    const [packs, index] = [await names(copy.repository, 'pack'), await names(copy.repository, 'index')];
    const { executed, postponed } = await prune(copy.repository, { clock: hoursFromNow(0.4) });
    expect(executed).toBe(true);
    expect(postponed).toMatchObject({ code: 'repository.locked' });
    expect(await names(copy.repository, 'pack')).toEqual(packs);
    expect(await names(copy.repository, 'index')).toEqual(index);
  });

  test('what was written anew when it had to be put off is not written again', async () => {
    const copy = await forgotten();
    await foreignLock(copy.repository);
    const first = await prune(copy.repository);
    expect(first.plan.totals.repacked.packs).toBeGreaterThan(0);
    await removeLocks(copy.repository, { all: true, clock: patientClock });
    const second = await prune(copy.repository);
    expect(second).toMatchObject({ plan: { totals: { repacked: { packs: 0 } } } });
    expect(second.postponed).toBeUndefined();
    expect(second.plan.totals.marked.packs).toBeGreaterThanOrEqual(first.plan.totals.marked.packs);
    expect(await worst(copy.repository)).toEqual([]);
  });

  test('a writer works while the plan is made, and what it relies on stays', async () => {
    const copy = await forgotten();
    const { plan } = await prune(copy.repository, {
      approve: async () => {
        // Its lock is gone by the time of the mark; it found all of its content in packs that were to go.
        const lock = await takeLock(copy.repository, { exclusive: false, clock: patientClock });
        await copy.backup(ONLY_FIRST, '2026-01-03T00:00:00Z', { packSize: PACK });
        await lock.release();
        return true;
      },
    });
    expect(plan.totals.marked.packs).toBe(0);
    expect(await markedPacks(copy.repository)).toEqual([]);
    await prune(copy.repository, { clock: hoursFromNow(48) });
    expect(await worst(copy.repository)).toEqual([]);
  });

  test('a snapshot that came to need packs whose grace is over takes them back', async () => {
    const copy = await withMarks();
    const { plan } = await prune(copy.repository, {
      clock: hoursFromNow(24),
      approve: async () => {
        await copy.saveSnapshot(snapshots[0]!.tree, '2026-01-03T00:00:00Z');
        return true;
      },
    });
    expect(plan.totals.removed.packs).toBe(0);
    expect(await worst(copy.repository)).toEqual([]);
    expect(await copy.repository.loadSnapshots()).toHaveLength(2);
  });

  test('index files that went in spite of our lock stop it before anything is removed', async () => {
    const copy = await forgotten();
    const [index] = await names(copy.repository, 'index');
    const packs = await names(copy.repository, 'pack');
    const running = prune(copy.repository, {
      approve: async () => {
        await copy.repository.backend.remove({ type: 'index', name: index ?? '' });
        return true;
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'repository.lock-lost' });
    expect(await names(copy.repository, 'pack')).toEqual(expect.arrayContaining(packs));
  });

  test('two that prune at the same time do no harm', async () => {
    const copy = await forgotten();
    const results = await Promise.allSettled([prune(copy.repository), prune(copy.repository)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(await listLocks(copy.repository)).toEqual([]);
    expect(await worst(copy.repository)).toEqual([]);
  });
});

describe('killed after any number of writes', () => {
  test.each([
    ['marking', forgotten, 0],
    ['removing', withMarks, 24],
    ['marking some and removing others', forgottenAfterMarks, 24],
  ])(
    '%s leaves every snapshot whole, and later ones complete',
    { timeout: 120_000 },
    async (_, begin, hours) => {
      const start = await begin();
      await start.repository.backend.save({ type: 'pack', name: 'cd'.repeat(32) }, noise(100));
      let writes = 0;
      for (let killed = true; killed; writes += 1) {
        const copy = start.clone();
        killed = await prune(copy.behind(killedAfter(writes)), { clock: hoursFromNow(hours) }).then(
          () => false,
          () => true,
        );
        await removeLocks(copy.repository, { all: true, clock: patientClock });
        expect(await worst(copy.repository)).toEqual([]);
        for (const day of [1, 2, 3]) await prune(copy.repository, { clock: hoursFromNow(hours + day * 24) });
        expect(await markedPacks(copy.repository)).toEqual([]);
        expect(await worst(copy.repository)).toEqual([]);
        expect((await prune(copy.repository)).plan).toMatchObject({ idle: true, totals: { unusedAfter: 0 } });
      }
      expect(writes).toBeGreaterThan(5);
    },
  );

  async function forgottenAfterMarks(): Promise<SmallRepository> {
    const copy = await withMarks();
    await copy.backup({ c: files(20, 21, 22) }, '2026-01-03T00:00:00Z', { packSize: PACK });
    await copy.repository.backend.remove({ type: 'snapshot', name: snapshots[1]?.id ?? '' });
    return copy;
  }
});
