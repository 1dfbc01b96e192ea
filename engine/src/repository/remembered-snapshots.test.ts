import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { meter } from '../backend/wrap/meter.ts';
import type { Snapshot } from '../format/types.ts';
import type { Id } from '../kernel/id.ts';
import { patientClock, SmallRepository } from '../testing/small-repository.ts';
import type { Repository } from './repository.ts';
import { decodeRows, encodeRows } from './snapshot-rows.ts';

let empty: SmallRepository;
let directory: string;

beforeAll(async () => {
  empty = await SmallRepository.create();
  directory = mkdtempSync(join(tmpdir(), 'holdfast-remembered-'));
});
beforeEach(() => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** As a command opens it that comes later: what it knows, it has from the file. */
function asNextCommand(repository: Repository): Repository {
  return repository.with({ localCache: { clock: patientClock, directory } });
}

function fileOf({ config }: Repository): string {
  return join(directory, config.id, 'snapshots');
}

const id = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as Id);
const time = fc
  .tuple(
    fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }),
    fc.constantFrom('Z', '+07:00', '-03:30'),
  )
  .map(([date, offset]) => date.toISOString().replace('Z', `456${offset}`));
const names = fc.array(fc.constantFrom('/etc', '/srv/ünï', 'nightly', '"\\'), { maxLength: 3 });
const count = fc.nat();
const summary = fc.record({
  backupStart: time,
  backupEnd: time,
  filesNew: count,
  filesChanged: count,
  filesUnmodified: count,
  dirsNew: count,
  dirsChanged: count,
  dirsUnmodified: count,
  dataBlobs: count,
  treeBlobs: count,
  dataAdded: count,
  dataAddedPacked: count,
  totalFilesProcessed: count,
  totalBytesProcessed: count,
});
const snapshot: fc.Arbitrary<Snapshot> = fc.record(
  {
    time,
    parent: id,
    tree: id,
    paths: names,
    hostname: fc.constantFrom('db-1', 'db-2', ''),
    username: fc.constantFrom('root', ''),
    uid: fc.nat(3),
    gid: fc.nat(3),
    excludes: names,
    tags: names,
    original: id,
    programVersion: fc.constantFrom('restic 0.18.1', 'holdfast 1'),
    summary,
  },
  {
    requiredKeys: ['time', 'tree', 'paths', 'hostname', 'username', 'uid', 'gid', 'excludes', 'tags'],
  },
);

type Step = { readonly add: Snapshot } | { readonly remove: number } | { readonly list: true };
const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ add: snapshot }),
    fc.record({ remove: fc.nat() }),
    fc.record({ list: fc.constant(true as const) }),
  ),
  { maxLength: 30 },
);

test('a remembered list is the list that the files give, whatever came and went', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      rmSync(directory, { recursive: true, force: true });
      const { repository } = empty.clone();
      const stayed = asNextCommand(repository);
      for (const step of history) {
        if ('add' in step) await repository.saveSnapshot(step.add);
        else if ('remove' in step) await removeOne(repository, step.remove);
        else await expectSameLists(repository, stayed);
      }
      await expectSameLists(repository, stayed);
    }),
    { numRuns: 60 },
  );
});

/** As texts, since programs read them as such: fields in their order, and none that is undefined. */
async function expectSameLists(repository: Repository, stayed: Repository): Promise<void> {
  const plain = JSON.stringify(await repository.loadSnapshots());
  expect(JSON.stringify(await stayed.loadSnapshots())).toBe(plain);
  expect(JSON.stringify(await asNextCommand(repository).loadSnapshots())).toBe(plain);
}

async function removeOne(repository: Repository, which: number): Promise<void> {
  const all: string[] = [];
  for await (const { name } of repository.backend.list('snapshot')) all.push(name);
  const name = all.sort()[which % Math.max(all.length, 1)];
  if (name !== undefined) await repository.backend.remove({ type: 'snapshot', name });
}

const EXAMPLE: Snapshot = {
  time: '2026-11-21T10:52:00.123456789+07:00',
  tree: 'ab'.repeat(32) as Id,
  paths: ['/home/secret-project'],
  hostname: 'db-1',
  username: 'root',
  uid: 0,
  gid: 0,
  excludes: [],
  tags: [],
};

test('a second list reads no snapshot file', async () => {
  const small = empty.clone();
  await small.repository.saveSnapshot(EXAMPLE);
  await asNextCommand(small.repository).loadSnapshots();
  let metered: ReturnType<typeof meter> | undefined;
  const counted = small.behind((backend) => {
    metered = meter(backend);
    return metered;
  });
  expect(await asNextCommand(counted).loadSnapshots()).toHaveLength(1);
  expect(metered?.reading().load.snapshot.calls).toBe(0);
});

test('a file that was changed, cut short or made with another key is not believed, and written again', async () => {
  const small = empty.clone();
  const { repository } = small;
  await repository.saveSnapshot(EXAMPLE);
  await asNextCommand(repository).loadSnapshots();
  const good = readFileSync(fileOf(repository));
  const changed = Uint8Array.from(good);
  changed[40] = (changed[40] ?? 0) ^ 1;
  const foreign = (await SmallRepository.create()).repository.sealer.seal(repository.sealer.open(good));
  for (const bad of [changed, good.subarray(0, 50), new Uint8Array(), foreign]) {
    writeFileSync(fileOf(repository), bad);
    expect(await asNextCommand(repository).loadSnapshots()).toHaveLength(1);
    expect(repository.sealer.tryOpen(readFileSync(fileOf(repository)))).toBeDefined();
  }
});

test('the file tells nobody but its owner anything, and nobody without the key where data come from', async () => {
  const { repository } = empty.clone();
  await repository.saveSnapshot(EXAMPLE);
  await asNextCommand(repository).loadSnapshots();
  expect(statSync(fileOf(repository)).mode & 0o777).toBe(0o600);
  expect(statSync(join(directory, repository.config.id)).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(directory, repository.config.id))).toEqual(['snapshots']);
  expect(readFileSync(fileOf(repository)).includes('secret-project')).toBe(false);
});

test('a snapshot that is damaged is never remembered, and named each time', async () => {
  const small = empty.clone();
  const lost = await small.repository.saveSnapshot(EXAMPLE);
  await small.repository.saveSnapshot({ ...EXAMPLE, hostname: 'db-2' });
  for (const [name, content] of small.files)
    if (name.endsWith(lost)) small.files.set(name, content.subarray(1));
  for (let round = 0; round < 2; round += 1) {
    const damaged: Id[] = [];
    const list = await asNextCommand(small.repository).loadSnapshots(undefined, (id) => damaged.push(id));
    expect([damaged, list.length]).toEqual([[lost], 1]);
  }
});

test('a backup into a large repository does not write the whole memory anew', async () => {
  const { repository } = empty.clone();
  for (let nth = 0; nth < 300; nth += 1) await repository.saveSnapshot({ ...EXAMPLE, uid: nth });
  await asNextCommand(repository).loadSnapshots();
  const before = statSync(fileOf(repository)).ino;
  await repository.saveSnapshot({ ...EXAMPLE, uid: 300 });
  expect(await asNextCommand(repository).loadSnapshots()).toHaveLength(301);
  expect(statSync(fileOf(repository)).ino).toBe(before);
  await repository.saveSnapshot({ ...EXAMPLE, uid: 301 });
  expect(await asNextCommand(repository).loadSnapshots()).toHaveLength(302);
  expect(statSync(fileOf(repository)).ino).not.toBe(before);
});

test('a memory that has no room for all keeps the first that it was given', () => {
  const snapshots = ['a', 'b', 'c'].map((digit) => ({ ...EXAMPLE, id: digit.repeat(64) as Id }));
  const kept = decodeRows(encodeRows(snapshots, 500));
  expect([...(kept ?? []).keys()]).toEqual([snapshots[0]?.id, snapshots[1]?.id]);
});
