import { beforeAll, describe, expect, test } from 'vitest';
import type { StoredSnapshot } from '../../format/types.ts';
import { checkRepository } from '../../repository/check/check.ts';
import { refreshIndex } from '../../repository/index-load/load-index.ts';
import { removeLocks } from '../../repository/lock-files.ts';
import { pruneRepository } from '../../repository/prune/prune.ts';
import type { Repository } from '../../repository/repository.ts';
import { noise } from '../../testing/backend-suite.ts';
import { patientClock, SmallRepository } from '../../testing/small-repository.ts';
import { withWriteLock } from './write-lock.ts';

let original: SmallRepository;
let forgotten: StoredSnapshot;

/** A repository with a snapshot, and content that nobody needs since another one was forgotten. */
beforeAll(async () => {
  original = await SmallRepository.create();
  forgotten = await original.backup({ a: noise(3_000, 1) }, '2026-01-01T00:00:00Z');
  await original.backup({ b: noise(3_000, 2) }, '2026-01-02T00:00:00Z');
  await original.repository.backend.remove({ type: 'snapshot', name: forgotten.id });
});

const LOCK = { clock: patientClock, dryRun: false, retryFor: 0, signal: undefined };

/** Saves the forgotten tree again, whose content the index has; `meanwhile` happens before that. */
async function saveAgain(repository: Repository, meanwhile: () => Promise<unknown>): Promise<StoredSnapshot> {
  return await withWriteLock(repository, LOCK, async ({ indexed, mayWrite, saveSnapshot }) => {
    await mayWrite;
    expect(indexed.index.has('tree', forgotten.tree)).toBe(true);
    await meanwhile();
    return await saveSnapshot({ ...forgotten, time: '2026-01-03T00:00:00Z' });
  });
}

/** As somebody does who removes our lock by hand and prunes. */
async function pruneInSpite(repository: Repository, grace: number | 'none'): Promise<void> {
  await removeLocks(repository, { all: true, clock: patientClock });
  const run = { clock: patientClock, approve: () => true, maxUnused: { bytes: 0 }, grace };
  expect((await pruneRepository(repository, run)).postponed).toBeUndefined();
}

async function worst(repository: Repository): Promise<string[]> {
  const options = { clock: patientClock, random: Math.random, readData: 'all', threads: 1 } as const;
  const { findings } = await checkRepository(repository, options);
  return findings.filter(({ severity }) => severity !== 'note').map(({ message }) => message);
}

describe('a writer whose lock somebody removed', () => {
  test('takes back what was marked before it saves its snapshot', async () => {
    const { repository } = original.clone();
    const { id } = await saveAgain(repository, () => pruneInSpite(repository, 3_600_000));
    expect(await worst(repository)).toEqual([]);
    const later = { ...patientClock, now: () => Date.now() + 7_200_000 };
    await pruneRepository(repository, { clock: later, approve: () => true, grace: 3_600_000 });
    expect((await repository.loadSnapshots()).map((one) => one.id)).toContain(id);
    expect(await worst(repository)).toEqual([]);
  });

  test('saves no snapshot when what it needs is gone', async () => {
    const { repository } = original.clone();
    const saving = saveAgain(repository, () => pruneInSpite(repository, 'none'));
    await expect(saving).rejects.toMatchObject({ code: 'repository.lock-lost' });
    expect(await repository.loadSnapshots()).toHaveLength(1);
    expect(await worst(repository)).toEqual([]);
  });

  test('is not hurt by a mark of what it wrote itself', async () => {
    const copy = original.clone();
    const { repository } = copy;
    await withWriteLock(repository, LOCK, async ({ indexed, mayWrite, saveSnapshot }) => {
      await mayWrite;
      const writer = await copy.writer();
      const tree = writer.saveFiles({ c: noise(3_000, 3) });
      await writer.finish();
      await refreshIndex(indexed.index, repository);
      await pruneInSpite(repository, 3_600_000);
      await saveSnapshot({ ...forgotten, tree });
    });
    expect((await repository.loadIndex()).index.marked().length).toBeGreaterThan(0);
    expect(await worst(repository)).toEqual([]);
  });
});

test('an index file that is replaced while the index is read makes it be read anew', async () => {
  const copy = original.clone();
  let replaced = false;
  const repository = copy.behind((backend) => ({
    ...backend,
    load: async (handle, ...rest) => {
      if (handle.type === 'index' && !replaced) {
        replaced = true;
        await pruneInSpite(copy.repository, 3_600_000);
      }
      return await backend.load(handle, ...rest);
    },
  }));
  const { index } = await repository.loadIndex();
  expect(index.has('tree', forgotten.tree)).toBe(false);
  expect(index.marked().length).toBeGreaterThan(0);
});
