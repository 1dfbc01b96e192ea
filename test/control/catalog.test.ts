import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeFindings, readFindings, saveFindings } from '../../app/src/catalog/findings.ts';
import { readIncidents, replaceIncidents } from '../../app/src/catalog/incidents.ts';
import { readJournals, removeJournal, saveJournal } from '../../app/src/catalog/journals.ts';
import { readSummaries } from '../../app/src/catalog/point-summary.ts';
import {
  placesOf,
  readPoints,
  removePoints,
  replacePoints,
  savePoints,
} from '../../app/src/catalog/points.ts';
import { readPolicies, savePolicy } from '../../app/src/catalog/policies.ts';
import { dumpCatalog, replaceCatalog } from '../../app/src/catalog/rebuild.ts';
import type { OpenFinding, Point, Run } from '../../app/src/catalog/records.ts';
import {
  pruneRuns,
  readEndedRuns,
  readLastGoodRuns,
  readRuns,
  saveHistory,
} from '../../app/src/catalog/runs.ts';
import { readMarks, removeMarks, saveMarks } from '../../app/src/catalog/schedule-marks.ts';
import { readSizes, saveSize } from '../../app/src/catalog/sizes.ts';
import { readWindows, replaceWindows } from '../../app/src/catalog/windows.ts';
import { sqlOutbox } from '../../app/src/control/sql-outbox.ts';
import type { Database, Transaction } from '../../app/src/state/session.ts';
import type { State } from '../../app/src/state/state.ts';
import { outboxPromises } from '../../app/src/testing/outbox-promises.ts';
import { ControlScene } from './control-scene.ts';

let scene: ControlScene;
let state: State;
let database: Database;

beforeAll(async () => {
  scene = await ControlScene.create();
  state = await scene.open();
  ({ database } = state);
});

beforeEach(async () => {
  const tables = await database.query<{ name: string }>(
    "SELECT format('holdfast.%I', tablename) AS name FROM pg_tables WHERE schemaname = 'holdfast' AND tablename <> 'migration'",
  );
  await database.execute(`TRUNCATE ${tables.map(({ name }) => name).join(', ')}`);
});

afterAll(async () => {
  await state[Symbol.asyncDispose]();
  await scene[Symbol.asyncDispose]();
});

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function point(name: string, changes: Partial<Point> = {}): Point {
  const snapshot = idOf(name);
  return {
    repository: 'main',
    snapshot,
    original: snapshot,
    source: 'shop',
    kind: 'snapshot',
    time: 1_000,
    bytes: 2 ** 40,
    added: 10,
    complete: true,
    ...changes,
  };
}

/** Does it wholly or not at all. */
async function inTransaction<Values extends unknown[]>(
  work: (transaction: Transaction, ...values: Values) => Promise<void>,
  ...values: Values
): Promise<void> {
  await database.transaction((transaction) => work(transaction, ...values));
}

async function collected(lines: AsyncIterable<string>): Promise<string[]> {
  return await Array.fromAsync(lines);
}

describe('points', () => {
  test('that were saved while a look was under way outlast it', async () => {
    const [gone, seen, late] = [point('gone'), point('seen'), point('late')];
    await inTransaction(savePoints, [gone, seen, late]);
    const heard = 'UPDATE holdfast.point SET heard_at = CASE snapshot WHEN $1 THEN 30 ELSE 10 END';
    await database.execute(heard, [Buffer.from(late.snapshot, 'hex')]);
    await inTransaction(replacePoints, 'main', [seen], 20);
    const left = await readPoints(database, { repository: 'main', source: 'shop' });
    expect(left.map(({ snapshot }) => snapshot).sort()).toEqual([seen.snapshot, late.snapshot].sort());
    await inTransaction(replacePoints, 'main', [seen], 40);
    expect(await readPoints(database, { repository: 'main', source: 'shop' })).toEqual([seen]);
  });

  test('are summed up as they come and go, by place, source and kind', async () => {
    const old = point('old', { time: 1_000 });
    const good = point('good', { time: 2_000 });
    const last = point('last', { time: 3_000, complete: false });
    const slice = point('slice', { kind: 'slice', time: 2_500, covers: { from: 2_000, to: 2_500 } });
    await inTransaction(savePoints, [old, good, last, slice, point('elsewhere', { repository: 'offsite' })]);
    expect(await readSummaries(database)).toEqual([
      {
        repository: 'main',
        source: 'shop',
        kind: 'slice',
        count: 1,
        oldest: 2_500,
        newest: slice,
        newestComplete: slice,
      },
      {
        repository: 'main',
        source: 'shop',
        kind: 'snapshot',
        count: 3,
        oldest: 1_000,
        newest: last,
        newestComplete: good,
      },
      expect.objectContaining({ repository: 'offsite', count: 1 }),
    ]);

    await inTransaction(removePoints, 'main', [good.snapshot, old.snapshot]);
    expect(await readSummaries(database)).toContainEqual({
      repository: 'main',
      source: 'shop',
      kind: 'snapshot',
      count: 1,
      oldest: 3_000,
      newest: last,
    });
    await inTransaction(removePoints, 'main', [last.snapshot, slice.snapshot]);
    expect((await readSummaries(database)).map(({ repository }) => repository)).toEqual(['offsite']);
  });

  test('come newest first, and only of the kinds that were asked for', async () => {
    await inTransaction(savePoints, [
      point('a', { time: 1 }),
      point('b', { time: 2, kind: 'base' }),
      point('c', { time: 3, kind: 'slice' }),
    ]);
    const which = { repository: 'main', source: 'shop' };
    expect((await readPoints(database, which)).map(({ time }) => time)).toEqual([3, 2, 1]);
    expect(await readPoints(database, { ...which, kinds: ['base'] })).toEqual([
      point('b', { time: 2, kind: 'base' }),
    ]);
  });

  test('that are saved again are brought up to date', async () => {
    await inTransaction(savePoints, [point('a', { complete: false })]);
    await inTransaction(savePoints, [point('a')]);
    expect(await readSummaries(database)).toMatchObject([{ count: 1, newestComplete: { complete: true } }]);
  });

  test('and their copies are one point at several places', async () => {
    const first = point('a');
    await inTransaction(savePoints, [
      first,
      point('copy', { repository: 'offsite', original: first.original }),
    ]);
    expect(await placesOf(database, first.original)).toEqual(['main', 'offsite']);
  });

  test('that two save at once are all counted', async () => {
    await Promise.all(
      [1, 2, 3, 4].map((number) =>
        database.transaction((session) => savePoints(session, [point(`${number}`)])),
      ),
    );
    expect(await readSummaries(database)).toMatchObject([{ count: 4 }]);
  });
});

const FINDING: OpenFinding = {
  severity: 'error',
  code: 'pack.blob-damaged',
  subject: 'pack 1a2b3c4d',
  message: 'A blob is damaged.',
  repository: 'main',
  snapshots: [idOf('a')],
  foundAt: 10,
  seenAt: 10,
};

const RUN: Run = {
  id: '7a0f3d3c-5f7e-4a53-9d83-52c1c9f4b7aa',
  kind: 'snapshot',
  about: 'shop',
  cause: 'schedule',
  dueAt: 1,
  queuedAt: 2,
  startedAt: 3,
  endedAt: 4,
  attempt: 1,
  state: 'succeeded',
  result: { snapshots: [idOf('a')], bytes: 5, added: 1, findings: [], summary: 'saved' },
  steps: [{ ordinal: 1, name: 'snapshot', state: 'done', attempt: 1, startedAt: 3, endedAt: 4 }],
};

describe('a catalog that was rebuilt', () => {
  const found = {
    points: [point('a'), point('b', { kind: 'slice', covers: { from: 1, to: 2 } })],
    windows: [{ repository: 'main', source: 'shop', from: 1, to: 9 }],
    findings: [FINDING],
    runs: [RUN],
  };

  test('is the same as the one that grew', async () => {
    await inTransaction(savePoints, [point('b', { kind: 'slice', covers: { from: 1, to: 2 } })]);
    await inTransaction(savePoints, [point('gone'), point('a')]);
    await inTransaction(removePoints, 'main', [idOf('gone')]);
    await inTransaction(replaceWindows, { repository: 'main', source: 'shop' }, found.windows);
    await saveFindings(database, [FINDING]);
    await saveHistory(database, [RUN]);
    const grown = await collected(dumpCatalog(database));
    expect(grown).toHaveLength(5);
    await database.execute(
      'TRUNCATE holdfast.point, holdfast.point_summary, holdfast.recovery_window, holdfast.open_finding',
    );
    await database.execute('DELETE FROM holdfast.run');
    await database.transaction((session) => replaceCatalog(session, 'main', found));
    expect(await collected(dumpCatalog(database))).toEqual(grown);
  });

  test('holds nothing of before, and leaves other repositories alone', async () => {
    const elsewhere = point('elsewhere', { repository: 'offsite' });
    await inTransaction(savePoints, [point('stale'), elsewhere]);
    await saveFindings(database, [{ ...FINDING, code: 'index.pack-missing' }]);
    await database.transaction((session) => replaceCatalog(session, 'main', found));
    expect(await readPoints(database, { repository: 'offsite', source: 'shop' })).toEqual([elsewhere]);
    expect((await readFindings(database)).map(({ code }) => code)).toEqual(['pack.blob-damaged']);
    expect(await readSummaries(database)).toMatchObject([
      { repository: 'main', kind: 'slice', count: 1 },
      { repository: 'main', kind: 'snapshot', count: 1, newest: { snapshot: idOf('a') } },
      { repository: 'offsite', count: 1 },
    ]);
  });
});

test("windows of one source are exchanged without touching another's", async () => {
  const windows = ['shop', 'wiki'].map((source) => ({ repository: 'main', source, from: 1, to: 5 }));
  await inTransaction(replaceWindows, { repository: 'main' }, windows);
  const later = { repository: 'main', source: 'shop', from: 3, to: 9 };
  await inTransaction(replaceWindows, { repository: 'main', source: 'shop' }, [later]);
  expect(await readWindows(database)).toEqual([later, windows[1]]);
});

test('a finding that is found again keeps its first time, and one that is not found any more is closed', async () => {
  await saveFindings(database, [FINDING, { ...FINDING, subject: 'pack 2', foundAt: 10, seenAt: 10 }]);
  await saveFindings(database, [{ ...FINDING, foundAt: 50, seenAt: 50 }]);
  await closeFindings(database, { repository: 'main', codes: [FINDING.code], lookedAt: 40 });
  expect(await readFindings(database, 'main')).toEqual([{ ...FINDING, foundAt: 10, seenAt: 50 }]);
  expect(await readFindings(database, 'offsite')).toEqual([]);
});

test('a journal says one thing at a time', async () => {
  const journal = {
    source: 'shop',
    state: 'streaming',
    seenAt: 5,
    spoolMoment: 4,
    since: 1,
    restarts: 0,
  } as const;
  await saveJournal(database, journal);
  const failure = { code: 'source.unreachable', message: 'gone' };
  const stopped = { source: 'shop', state: 'stopped', seenAt: 9, since: 8, restarts: 1, failure } as const;
  await saveJournal(database, stopped);
  expect(await readJournals(database)).toEqual([stopped]);
  await removeJournal(database, 'shop');
  expect(await readJournals(database)).toEqual([]);
});

test('sizes are kept whole for two days, and one a day before that', async () => {
  const end = 100 * DAY;
  for (let at = end - 5 * DAY; at <= end; at += 6 * HOUR) {
    await saveSize(database, { repository: 'main', at, bytes: at, ...(at === end ? { free: 7 } : {}) });
  }
  const sizes = await readSizes(database);
  expect(sizes.at(-1)).toEqual({ repository: 'main', at: end, bytes: end, free: 7 });
  const days = sizes.filter(({ at }) => at < end - 2 * DAY).map(({ at }) => Math.floor(at / DAY));
  expect(days).toEqual([95, 96, 97]);
  expect(sizes.filter(({ at }) => at >= end - 2 * DAY)).toHaveLength(9);
  expect(await readSizes(database, end)).toHaveLength(1);
});

test('the history of runs forgets what is old, but never the last good one', async () => {
  const run = (number: number, outcome: Run['state']): Run => ({
    ...RUN,
    id: `00000000-0000-4000-8000-00000000000${number}`,
    queuedAt: number,
    endedAt: number,
    state: outcome,
    steps: [],
  });
  await saveHistory(database, [
    run(1, 'succeeded'),
    run(2, 'succeeded'),
    run(3, 'failed'),
    run(4, 'failed'),
    run(9, 'failed'),
  ]);
  await pruneRuns(database, 8);
  expect((await readRuns(database, { most: 10 })).map(({ queuedAt }) => queuedAt)).toEqual([9, 2]);
  expect(await readLastGoodRuns(database, [{ kind: 'snapshot', about: 'shop' }])).toMatchObject([
    { queuedAt: 2 },
  ]);
  await saveHistory(database, [{ ...run(9, 'succeeded') }]);
  expect((await readEndedRuns(database)).map((ended) => ended.state)).toEqual(['failed', 'succeeded']);
});

test("a schedule's mark never goes back by itself", async () => {
  await saveMarks(
    database,
    new Map([
      ['shop snapshot', 50],
      ['main check', 7],
    ]),
  );
  await saveMarks(database, new Map([['shop snapshot', 40]]));
  expect(await readMarks(database)).toEqual(
    new Map([
      ['shop snapshot', 50],
      ['main check', 7],
    ]),
  );
  await removeMarks(database, ['shop snapshot']);
  expect([...(await readMarks(database)).keys()]).toEqual(['main check']);
});

test('policies are remembered, the one that is gone by first', async () => {
  await savePolicy(database, { hash: 'a', text: 'stack: a', seenAt: 1 });
  await savePolicy(database, { hash: 'b', text: 'stack: b', seenAt: 2 });
  await savePolicy(database, { hash: 'a', text: 'stack: a', seenAt: 3 });
  expect((await readPolicies(database)).map(({ hash }) => hash)).toEqual(['a', 'b']);
});

test('incidents are exchanged for those of the last tick', async () => {
  const incident = (key: string) => ({
    key,
    severity: 'critical' as const,
    about: 'shop',
    code: 'run.failed',
    message: 'The snapshot failed.',
    since: 1,
    told: [{ channel: 'slack', at: 2 }],
  });
  await inTransaction(replaceIncidents, [incident('a'), incident('b')]);
  await inTransaction(replaceIncidents, [incident('b'), incident('c')]);
  expect(await readIncidents(database)).toEqual([incident('b'), incident('c')]);
});

describe('an outbox in the database', () => {
  outboxPromises(async () => sqlOutbox(database));
});
