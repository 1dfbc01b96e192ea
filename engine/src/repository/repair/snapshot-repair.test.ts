import { beforeAll, expect, test } from 'vitest';
import type { StoredSnapshot } from '../../format/types.ts';
import { sha256Id } from '../../kernel/hash.ts';
import type { Id } from '../../kernel/id.ts';
import { noise } from '../../testing/backend-suite.ts';
import { flipBit, killedAfter, patientClock, SmallRepository } from '../../testing/small-repository.ts';
import { checkRepository } from '../check/check.ts';
import { removeLocks } from '../lock-files.ts';
import type { Repository } from '../repository.ts';
import { repairRepository } from './repair.ts';
import { repairSnapshots, type SnapshotRepairRun } from './snapshot-repair.ts';

/** Each blob in a pack of its own. */
const PACK = 1;
let original: SmallRepository;
let [first, second]: StoredSnapshot[] = [];

beforeAll(async () => {
  original = await SmallRepository.create();
  const pack = { packSize: PACK };
  first = await original.backup(
    { letters: { ann: noise(3_000, 1), ben: noise(3_000, 2) }, photo: noise(3_000, 3) },
    '2026-01-01T00:00:00Z',
    pack,
  );
  second = await original.backup(
    { photo: noise(3_000, 3), song: noise(3_000, 4) },
    '2026-01-02T00:00:00Z',
    pack,
  );
});

async function repair(repository: Repository, run: Partial<SnapshotRepairRun> = {}) {
  return await repairSnapshots(repository, {
    clock: patientClock,
    threads: 1,
    forget: false,
    readData: false,
    approve: () => true,
    ...run,
  });
}

/** Takes the packs away in which these contents lie, and out of the index. */
async function lose(small: SmallRepository, type: 'data' | 'tree', ...ids: Id[]): Promise<void> {
  const { index } = await small.repository.loadIndex();
  for (const id of ids) {
    await small.repository.backend.remove({ type: 'pack', name: index.lookup(type, id)?.pack ?? '' });
  }
  await repairRepository(small.repository, { clock: patientClock, approve: () => true });
}

function contentId(seed: number): Id {
  return sha256Id(noise(3_000, seed));
}

async function listing(repository: Repository, tree: Id, path = ''): Promise<string[]> {
  const indexed = await repository.loadIndex();
  const { nodes } = await indexed.loadTree(tree);
  const below = await Promise.all(
    nodes.map(async ({ name, subtree }) => {
      const own = `${path}/${name}`;
      return subtree === undefined ? [own] : [`${own}/`, ...(await listing(repository, subtree, own))];
    }),
  );
  return below.flat();
}

async function expectWhole(repository: Repository): Promise<void> {
  const options = { clock: patientClock, random: Math.random, readData: 'all', threads: 1 } as const;
  const { findings } = await checkRepository(repository, options);
  expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
}

test('a snapshot that lost a file is made anew without it, and plainly marked', async () => {
  const copy = original.clone();
  await lose(copy, 'data', contentId(2));
  const { plan, repaired } = await repair(copy.repository);
  expect(plan.whole).toBe(1);
  expect(
    plan.salvaged.map(({ lost }) => lost.map(({ path, kind, size }) => [`${path}`, kind, size])),
  ).toEqual([[['/letters/ben', 'file', 3_000]]]);
  const made = await copy.repository.loadSnapshot(repaired[0]?.to as Id);
  expect(made).toMatchObject({ tags: ['repaired'], original: first?.id, time: first?.time });
  expect(await listing(copy.repository, made.tree)).toEqual(['/letters/', '/letters/ann', '/photo']);
  expect((await copy.repository.loadSnapshots()).map(({ id }) => id)).toContain(first?.id);
});

test('a file that several snapshots share is lost from each of them', async () => {
  const copy = original.clone();
  await lose(copy, 'data', contentId(3));
  const { plan } = await repair(copy.repository, { forget: true });
  expect(plan.salvaged.map(({ lost }) => lost.map(({ path }) => `${path}`))).toEqual([
    ['/photo'],
    ['/photo'],
  ]);
  await expectWhole(copy.repository);
  const left = await copy.repository.loadSnapshots();
  expect(left.map(({ original: of }) => of)).toEqual([first?.id, second?.id]);
});

test('a directory whose listing is lost stays, empty and named', async () => {
  const copy = original.clone();
  const indexed = await copy.repository.loadIndex();
  const { nodes } = await indexed.loadTree(first?.tree as Id);
  await lose(copy, 'tree', nodes.find(({ subtree }) => subtree !== undefined)?.subtree as Id);
  const { plan, repaired } = await repair(copy.repository);
  expect(plan.salvaged[0]?.lost).toEqual([{ path: Buffer.from('/letters'), kind: 'directory' }]);
  const made = await copy.repository.loadSnapshot(repaired[0]?.to as Id);
  expect(await listing(copy.repository, made.tree)).toEqual(['/letters/', '/photo']);
});

test('a snapshot whose root is lost is named, and stays even when the damaged ones are to go', async () => {
  const copy = original.clone();
  await lose(copy, 'tree', first?.tree as Id);
  const { plan } = await repair(copy.repository, { forget: true });
  expect(plan).toMatchObject({ idle: true, whole: 1, hopeless: [{ id: first?.id }] });
  expect(await copy.repository.loadSnapshots()).toHaveLength(2);
});

test('a blob that is there but damaged counts as lost when all data are read', async () => {
  const copy = original.clone();
  const { index } = await copy.repository.loadIndex();
  const place = index.lookup('data', contentId(4));
  await copy.damage({ type: 'pack', name: place?.pack ?? '' }, flipBit((place?.offset ?? 0) + 40));
  expect((await repair(copy.repository)).plan.idle).toBe(true);
  const { plan } = await repair(copy.repository, { readData: true });
  expect(plan.salvaged.map(({ snapshot }) => snapshot.id)).toEqual([second?.id]);
});

test('what the next run of it finds done is not done again', async () => {
  const copy = original.clone();
  await lose(copy, 'data', contentId(2));
  await repair(copy.repository);
  expect(await repair(copy.repository)).toMatchObject({ plan: { idle: true, salvaged: [] } });
});

test('nothing is left out while an index file is lost: its packs are still there', async () => {
  const copy = original.clone();
  for await (const { name } of copy.repository.backend.list('index')) {
    await copy.repository.backend.remove({ type: 'index', name });
    break;
  }
  await expect(repair(copy.repository)).rejects.toMatchObject({ code: 'repository.damaged' });
});

test('killed after any number of writes, the damaged snapshots or their successors are there', async () => {
  const broken = original.clone();
  await lose(broken, 'data', contentId(3));
  let writes = 0;
  for (let killed = true; killed; writes += 1) {
    const copy = broken.clone();
    killed = await repair(copy.behind(killedAfter(writes)), { forget: true }).then(
      () => false,
      () => true,
    );
    await removeLocks(copy.repository, { all: true, clock: patientClock });
    const origins = (await copy.repository.loadSnapshots()).map(({ id, original: of }) => of ?? id);
    expect(new Set(origins)).toEqual(new Set([first?.id, second?.id]));
    await repairRepository(copy.repository, { clock: patientClock, approve: () => true });
    await repair(copy.repository, { forget: true });
    await expectWhole(copy.repository);
    expect(await copy.repository.loadSnapshots()).toHaveLength(2);
  }
  expect(writes).toBeGreaterThan(6);
});
