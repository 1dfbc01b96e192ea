import { beforeAll, describe, expect, test } from 'vitest';
import type { StoredSnapshot } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Id } from '../../kernel/id.ts';
import { noise } from '../../testing/backend-suite.ts';
import { killedAfter, patientClock, SmallRepository } from '../../testing/small-repository.ts';
import { checkRepository } from '../check/check.ts';
import { forgetSnapshots } from '../forget.ts';
import { removeLocks } from '../lock-files.ts';
import { pruneRepository } from '../prune/prune.ts';
import type { Repository } from '../repository.ts';
import { filterSnapshots } from '../snapshot-selection.ts';
import { expiredRecords } from './expiry.ts';
import { FORGOTTEN_TAG } from './record.ts';
import { bringBack, listForgotten } from './undo.ts';

const PACK = 8_000;
const HOUR = 3_600_000;
let original: SmallRepository;
let snapshots: StoredSnapshot[];

function files(...seeds: number[]): Record<string, Uint8Array> {
  return Object.fromEntries(seeds.map((seed) => [`file-${seed}`, noise(3_000, seed)]));
}

beforeAll(async () => {
  original = await SmallRepository.create();
  const pack = { packSize: PACK };
  snapshots = [
    await original.backup({ a: files(1, 2, 3, 4, 5) }, '2026-01-01T00:00:00Z', pack),
    await original.backup({ b: files(5, 6, 7, 8) }, '2026-01-02T00:00:00Z', pack),
    await original.backup({ c: files(9, 10) }, '2026-01-03T00:00:00Z', pack),
  ];
});

function hoursFromNow(hours: number): Clock {
  return { ...patientClock, now: () => Date.now() + hours * HOUR };
}

function idsOf(found: readonly { readonly id: Id }[]): Id[] {
  return found.map(({ id }) => id);
}

async function forget(repository: Repository, which: readonly StoredSnapshot[], hours = 0): Promise<void> {
  await forgetSnapshots(repository, idsOf(which), { clock: hoursFromNow(hours), undoable: true });
}

async function prune(repository: Repository, hours: number, grace?: 'none'): Promise<void> {
  const run = { approve: () => true, packSize: PACK, maxUnused: { bytes: 0 }, waitAlone: 0 };
  const kept = grace === undefined ? {} : { grace };
  await pruneRepository(repository, { ...run, clock: hoursFromNow(hours), ...kept });
}

async function points(repository: Repository): Promise<Id[]> {
  return idsOf(filterSnapshots(await repository.loadSnapshots(), {}));
}

async function worst(repository: Repository): Promise<string[]> {
  const options = { clock: patientClock, random: Math.random, readData: 'all', threads: 1 } as const;
  const { findings } = await checkRepository(repository, options);
  return findings.filter(({ severity }) => severity !== 'note').map(({ message }) => message);
}

describe('what was forgotten', () => {
  test('is no point any more, and comes back under its own id', async () => {
    const copy = original.clone();
    await forget(copy.repository, snapshots.slice(0, 2));
    expect(await points(copy.repository)).toEqual([snapshots[2]?.id]);
    const all = await copy.repository.loadSnapshots();
    expect(filterSnapshots(all, { tags: [[FORGOTTEN_TAG]] })).toHaveLength(1);

    const back = await bringBack(copy.repository, idsOf(snapshots), { clock: patientClock });
    expect(idsOf(back).sort()).toEqual(idsOf(snapshots.slice(0, 2)).sort());
    expect(await points(copy.repository)).toEqual(idsOf(snapshots));
    expect(await listForgotten(copy.repository)).toEqual([]);
    expect(await worst(copy.repository)).toEqual([]);
  });

  test('comes back after a prune has marked its data, which a later prune leaves alone then', async () => {
    const copy = original.clone();
    await forget(copy.repository, snapshots.slice(0, 1));
    await prune(copy.repository, 0);
    expect((await copy.repository.loadIndex()).index.marked().length).toBeGreaterThan(0);
    await bringBack(copy.repository, idsOf(snapshots), { clock: patientClock });
    expect(await worst(copy.repository)).toEqual([]);
    for (const hours of [24, 48, 72]) await prune(copy.repository, hours);
    expect(await points(copy.repository)).toEqual(idsOf(snapshots));
    expect(await worst(copy.repository)).toEqual([]);
  });

  test('does not come back once its data are gone, is no longer told of then, and asking for it fails', async () => {
    const copy = original.clone();
    await forget(copy.repository, snapshots.slice(0, 1));
    await prune(copy.repository, 0);
    expect(idsOf((await listForgotten(copy.repository)).map(({ snapshot }) => snapshot))).toEqual([
      snapshots[0]?.id,
    ]);
    await prune(copy.repository, 24);
    expect(await listForgotten(copy.repository)).toEqual([]);
    await forget(copy.repository, snapshots.slice(1, 2), 25);
    const undoing = bringBack(copy.repository, idsOf(snapshots), { clock: patientClock });
    await expect(undoing).rejects.toMatchObject({ code: 'snapshot.not-found' });
    expect(await points(copy.repository)).toEqual([snapshots[2]?.id]);
    await bringBack(copy.repository, idsOf(snapshots.slice(1, 2)), { clock: patientClock });
    expect(await points(copy.repository)).toEqual(idsOf(snapshots.slice(1)));
    // What the record itself took is free from then on.
    for (const hours of [50, 75, 100]) await prune(copy.repository, hours);
    expect((await copy.repository.loadIndex()).index.packs.length).toBeLessThan(6);
    expect(await worst(copy.repository)).toEqual([]);
  });

  test('is gone at once when everything is removed at once', async () => {
    const copy = original.clone();
    await forget(copy.repository, snapshots.slice(0, 1));
    await prune(copy.repository, 0, 'none');
    expect(await listForgotten(copy.repository)).toEqual([]);
    const options = { clock: patientClock, random: Math.random } as const;
    expect(await checkRepository(copy.repository, options)).toMatchObject({
      findings: [],
      unused: { blobs: 0 },
    });
  });

  test('is not brought back in part when somebody freed its data, and says so', async () => {
    const copy = original.clone();
    await forget(copy.repository, snapshots.slice(0, 2));
    await prune(copy.repository, 0);
    for (const { id } of (await copy.repository.loadIndex()).index.marked()) {
      await copy.repository.backend.remove({ type: 'pack', name: id });
    }
    const undoing = bringBack(copy.repository, idsOf(snapshots), { clock: patientClock });
    await expect(undoing).rejects.toMatchObject({ code: 'repository.blob-missing' });
    expect(await points(copy.repository)).toEqual([snapshots[2]?.id]);
  });

  test('is told of by the forgetting that it went with, the last one first', async () => {
    const copy = original.clone();
    await forget(copy.repository, snapshots.slice(0, 1));
    await forget(copy.repository, snapshots.slice(1, 3), 1);
    const told = await listForgotten(copy.repository);
    expect(told.map(({ snapshot }) => snapshot.id).toSorted()).toEqual(idsOf(snapshots).toSorted());
    expect(told.at(-1)?.snapshot.id).toBe(snapshots[0]?.id);
    expect(new Set(told.slice(0, 2).map(({ record }) => record)).size).toBe(1);
    expect(told[0]?.record).not.toBe(told[2]?.record);
  });
});

test('killed after any number of writes, forgetting and bringing back lose nothing', {
  timeout: 120_000,
}, async () => {
  for (let writes = 0; writes < 14; writes += 1) {
    const copy = original.clone();
    const kept = copy.behind(killedAfter(writes));
    await forget(kept, snapshots.slice(0, 2)).catch(() => undefined);
    await removeLocks(copy.repository, { all: true, clock: patientClock });
    expect(await worst(copy.repository)).toEqual([]);
    await prune(copy.repository, 0);

    const undo = bringBack(copy.behind(killedAfter(writes)), idsOf(snapshots), { clock: patientClock });
    await undo.catch(() => undefined);
    await removeLocks(copy.repository, { all: true, clock: patientClock });
    expect(await worst(copy.repository)).toEqual([]);
    await bringBack(copy.repository, idsOf(snapshots), { clock: patientClock });
    expect(await points(copy.repository)).toEqual(idsOf(snapshots));
    expect(await worst(copy.repository)).toEqual([]);
  }
});

describe('a record', () => {
  const records = [
    { id: 'old' as Id, time: 100 },
    { id: 'new' as Id, time: 200 },
  ];
  test.each([
    ['stays while what it tells of is marked', { ending: [], more: true }, 5_000, []],
    ['goes with the packs that were marked after it', { ending: [50, 150], more: true }, 5_000, ['old']],
    ['stays when older marks end', { ending: [99], more: false }, 5_000, []],
    ['goes after the grace when nothing is marked', { ending: [], more: false }, 1_150, ['old']],
    ['stays for the grace', { ending: [], more: false }, 1_099, []],
  ])('%s', (_, fates, now, expected) => {
    expect(expiredRecords(records, { ...fates, grace: { now, keep: 1_000 } })).toEqual(expected);
  });
});
