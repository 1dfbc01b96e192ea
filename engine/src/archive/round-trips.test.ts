import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Handle } from '../backend/backend.ts';
import { type MemoryFiles, openMemory } from '../backend/memory/memory.ts';
import { cache } from '../backend/wrap/cache.ts';
import { meter, type Reading } from '../backend/wrap/meter.ts';
import type { StoredSnapshot } from '../format/types.ts';
import type { Id } from '../kernel/id.ts';
import { beginLock } from '../repository/locks.ts';
import { openRepository } from '../repository/open.ts';
import type { Repository } from '../repository/repository.ts';
import { farAway, together } from '../testing/far-away.ts';
import { type Files, patientClock, SmallRepository } from '../testing/small-repository.ts';
import { backupFiles } from './backup/backup.ts';
import { restoreSnapshot } from './restore/restore.ts';

/*
 * What commands cost a repository that is far away: how often somebody waits for an answer, and how many requests that
 * is. Whoever adds one has to say so here. What comes as one wave per five files is bound by the number of connections.
 */

const INDEX_FILES = 50;
const SNAPSHOTS = 200;
const CONNECTIONS = 5;
const FOLDERS = 40;
const SNAPSHOT_WAVES = SNAPSHOTS / CONNECTIONS;
const INDEX_WAVES = INDEX_FILES / CONNECTIONS;

interface Cost {
  readonly waits: number;
  readonly requests: number;
}

interface Budget {
  readonly name: string;
  readonly work: (repository: Repository, cacheDirectory: string) => Promise<unknown>;
  readonly cold: Cost;
  readonly warm: Cost;
}

/** Each begins with opening, which is two waits for three requests: config and the list of keys at once, then the key. */
const budgets: readonly Budget[] = [
  {
    name: 'opening with a lock and giving it back',
    work: async (repository) =>
      (await beginLock(repository, { exclusive: false, clock: patientClock })).release(),
    cold: { waits: 5, requests: 6 },
    warm: { waits: 5, requests: 6 },
  },
  {
    name: 'listing the snapshots',
    work: (repository) => repository.loadSnapshots(),
    cold: { waits: 3 + SNAPSHOT_WAVES, requests: 4 + SNAPSHOTS },
    warm: { waits: 3, requests: 4 },
  },
  {
    name: 'a backup of what has not changed',
    work: (repository, cacheDirectory) => backup(repository, 'home', cacheDirectory),
    cold: { waits: 10 + SNAPSHOT_WAVES + INDEX_WAVES, requests: 13 + SNAPSHOTS + INDEX_FILES },
    warm: { waits: 9, requests: 12 },
  },
  {
    name: 'a backup of one new file',
    work: (repository, cacheDirectory) => {
      writeFileSync(join(directory, 'grown', `new-${process.hrtime.bigint()}`), 'new');
      return backup(repository, 'grown', cacheDirectory);
    },
    cold: { waits: 13 + SNAPSHOT_WAVES + INDEX_WAVES, requests: 16 + SNAPSHOTS + INDEX_FILES },
    warm: { waits: 11, requests: 14 },
  },
  {
    name: 'restoring one file from a folder three deep',
    work: restoreDeepFile,
    cold: { waits: 6 + SNAPSHOT_WAVES + INDEX_WAVES, requests: 7 + SNAPSHOTS + INDEX_FILES },
    warm: { waits: 5, requests: 6 },
  },
];

let directory: string;
let small: SmallRepository;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'round-trips-'));
  small = await SmallRepository.create();
  let { tree } = await small.backup(letters(1), time(1));
  for (let number = 2; number < INDEX_FILES - 1; number += 1) {
    ({ tree } = await small.backup(letters(number), time(number)));
  }
  for (const name of ['home', 'grown']) {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, 'letter'), name);
    await backup(small.repository, name, directory);
  }
  for (let number = INDEX_FILES; number < SNAPSHOTS; number += 1)
    await small.saveSnapshot(tree, time(number));
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('a repository far away', () => {
  test.each(budgets)('$name asks no more often than it has to', async ({ work, cold, warm }) => {
    const cacheDirectory = mkdtempSync(join(directory, 'cache-'));
    const files = new Map(small.files);
    expect(within(await costOf(work, cacheDirectory, files), cold)).toEqual(cold);
    expect(within(await costOf(work, cacheDirectory, files), warm)).toEqual(warm);
  });

  describe('where what is restored lies in many packs', () => {
    let scattered: SmallRepository;
    let tree: Id;
    beforeAll(async () => {
      scattered = await SmallRepository.create();
      const folders = Array.from({ length: FOLDERS }, (_, number) => [
        `${number}`,
        { letter: `no ${number}` },
      ]);
      ({ tree } = await scattered.backup(Object.fromEntries(folders), time(1), { packSize: 1 }));
    });

    test('trees are fetched ahead of the walk', async () => {
      const far = farAway(openMemory({ files: scattered.files, connections: CONNECTIONS }));
      const indexed = await scattered.repository.behind(() => far.backend).loadIndex();
      const target = mkdtempSync(join(directory, 'target-'));
      const { counts } = await restoreSnapshot(
        indexed,
        { tree },
        { clock: patientClock, target, dryRun: true },
      );
      expect(counts.filesExpected).toBe(FOLDERS);
      // The list of index files, one of them, the root, and all others four by four.
      expect(far.waits()).toBeLessThanOrEqual(3 + FOLDERS / 4);
    });

    test('one worker alone keeps all connections busy', async () => {
      const memory = openMemory({ files: scattered.files, connections: CONNECTIONS });
      const holdsData = ({ type, metadata }: Handle) => type === 'pack' && metadata !== true;
      const slow = together(memory, 'load', CONNECTIONS, holdsData);
      const indexed = await scattered.repository.behind(() => slow).loadIndex();
      const target = mkdtempSync(join(directory, 'target-'));
      const { counts } = await restoreSnapshot(
        indexed,
        { tree },
        { clock: patientClock, target, workers: 1 },
      );
      expect(counts.filesDone).toBe(FOLDERS);
    });
  });
});

async function costOf(work: Budget['work'], cacheDirectory: string, files: MemoryFiles): Promise<Cost> {
  const far = farAway(openMemory({ files, connections: CONNECTIONS }));
  const metered = meter(far.backend);
  const opened = await openRepository(metered, 'small');
  const options = { clock: patientClock, directory: cacheDirectory, repositoryId: opened.config.id };
  await work(
    opened.behind((backend) => cache(backend, options)),
    cacheDirectory,
  );
  return { waits: far.waits(), requests: requestsIn(metered.reading()) };
}

/** The budget where it is kept, so that a failure shows what was too much and nothing else. */
function within(cost: Cost, budget: Cost): Cost {
  return {
    waits: Math.max(cost.waits, budget.waits),
    requests: Math.max(cost.requests, budget.requests),
  };
}

function requestsIn(reading: Reading): number {
  const counts = Object.values(reading).flatMap((types) => Object.values(types));
  return counts.reduce((sum, { calls }) => sum + calls, 0);
}

function letters(number: number): Files {
  return { a: { b: { c: { 'deep.txt': `the ${number}th` } } }, 'letter.txt': `letter ${number}` };
}

/** Of a snapshot; the later the number, the later. */
function time(number: number): string {
  return new Date(Date.UTC(2026, 0, 1) + number * 3_600_000).toISOString();
}

async function backup(repository: Repository, name: string, cacheDirectory: string): Promise<void> {
  await backupFiles(repository, {
    clock: patientClock,
    paths: [name],
    workingDirectory: directory,
    labels: {
      hostname: 'desk',
      username: 'ann',
      uid: 1000,
      gid: 1000,
      tags: [],
      time: time(SNAPSHOTS),
      programVersion: 'test',
    },
    selection: { patterns: [], patternsIgnoringCase: [], tagFiles: [] },
    cacheDirectory,
    workers: 1,
  });
}

async function restoreDeepFile(repository: Repository): Promise<void> {
  const snapshots = await repository.loadSnapshots();
  const small = snapshots.find(({ hostname }) => hostname === 'small') as StoredSnapshot;
  const summary = await restoreSnapshot(await repository.loadIndex(), small, {
    clock: patientClock,
    target: mkdtempSync(join(directory, 'target-')),
    rules: { include: ['/a/b/c/deep.txt'] },
    workers: 1,
  });
  expect(summary.counts.filesDone).toBe(1);
}
