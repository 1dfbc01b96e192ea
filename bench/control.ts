/**
 * The control plane's memory under the load that it is made for: 200 sources in two repositories, a million points, a
 * quarter of a year of runs. Prints Markdown for docs/benchmarks.md; progress goes to stderr.
 *
 *     npm run bench -- control
 *     npm run bench -- control --points 10000 --sources 20
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readPoints, replacePoints, savePoints } from '../app/src/catalog/points.ts';
import type { Point, Run } from '../app/src/catalog/records.ts';
import { saveHistory } from '../app/src/catalog/runs.ts';
import { saveMarks } from '../app/src/catalog/schedule-marks.ts';
import { tick } from '../app/src/control/tick.ts';
import { judgeNow } from '../app/src/control/watch.ts';
import { parsePolicy } from '../app/src/policy/parse.ts';
import type { NewRun } from '../app/src/queue/new-run.ts';
import { RunQueue } from '../app/src/queue/run-queue.ts';
import { checkCron } from '../app/src/schedule/cron.ts';
import type { Database } from '../app/src/state/session.ts';
import { openState } from '../app/src/state/state.ts';
import { systemClock } from '../engine/src/kernel/clock.ts';
import { measureIdlePlane } from './idle-plane.ts';
import { describeMachine } from './machine.ts';

const { values: options } = parseArgs({
  options: {
    points: { type: 'string', default: '1000000' },
    sources: { type: 'string', default: '200' },
    laps: { type: 'string', default: '15' },
  },
});
const sources = Array.from({ length: Number(options.sources) }, (_, at) => `source-${at}`);
const repositories = ['main', 'offsite'];
const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-21T00:00:00Z');
const policy = policyOf();

const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-bench-control-'));
await chmod(directory, 0o755);
const { signal } = new AbortController();
const open = () => openState({ directory, clock: systemClock, signal });
try {
  print(`Machine: ${await describeMachine(directory)}\n`);
  print('| what | median | slowest |\n|---|---|---|');
  await measure('first start, initdb and all tables', 1, async () => {
    await using state = await open();
    await using _queue = await RunQueue.open(state.database, systemClock);
  });
  await idlePlane();
  await measure('warm start: server, tables and queue ready', laps(), async () => {
    await using state = await open();
    await using _queue = await RunQueue.open(state.database, systemClock);
    return performance.now();
  });
  await using state = await open();
  await using queue = await RunQueue.open(state.database, systemClock);
  const { database } = state;
  await fill(database);
  await database.execute('CHECKPOINT');
  await measure('status: gathered and judged', laps(), () =>
    judgeNow(database, { policy, since: 0 }, NOW, []),
  );
  await tick({ database, queue, policy, now: NOW });
  await measure('tick, nothing due', laps(), () => tick({ database, queue, policy, now: NOW }));
  await measure('points of one source, for its retention', laps(), () =>
    readPoints(database, { repository: 'main', source: 'source-1' }),
  );
  await measure('a new point of one source', laps(), (lap) =>
    database.transaction((transaction) => savePoints(transaction, [pointAt('main', 'source-1', -1 - lap)])),
  );
  await measure('one repository read anew (half of all points)', 1, () =>
    database.transaction((transaction) =>
      replacePoints(transaction, 'offsite', pointsOf('offsite'), Date.now()),
    ),
  );
  await measure('a run of one step, from asked for to recorded', laps(), (lap) => runOnce(queue, lap));
  await measure('taking one of 200 that wait', laps(), async (lap) => {
    if (lap === 0) for (const about of sources) await queue.enqueue(newRun(about));
    const taken = await queue.take('bench', (waiting) => waiting);
    if (taken !== undefined) await queue.finish(taken, { state: 'done' });
  });
  print(`\nDatabase: ${await size(database)} MB`);
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function runOnce(queue: RunQueue, lap: number): Promise<void> {
  await queue.enqueue(newRun(`lap-${lap}`));
  const taken = await queue.take('bench', (waiting) => waiting);
  if (taken !== undefined) await queue.finish(taken, { state: 'done' });
}

async function fill(database: Database): Promise<void> {
  for (const repository of repositories) {
    process.stderr.write(`${repository}: points\n`);
    await database.transaction((transaction) => savePoints(transaction, pointsOf(repository)));
  }
  process.stderr.write('runs\n');
  const runs = sources.flatMap((about) => Array.from({ length: 100 }, (_, at) => runAt(about, at)));
  await database.transaction((transaction) => saveHistory(transaction, runs));
  await saveMarks(database, new Map(sources.map((name) => [name, NOW])));
  await database.execute('VACUUM ANALYZE');
}

function pointsOf(repository: string): Point[] {
  const each = Math.ceil(Number(options.points) / sources.length / repositories.length);
  return sources.flatMap((source) =>
    Array.from({ length: each }, (_, at) => pointAt(repository, source, at)),
  );
}

function pointAt(repository: string, source: string, at: number): Point {
  const original = createHash('sha256').update(`${source} ${at}`).digest('hex');
  const snapshot =
    repository === 'main'
      ? original
      : createHash('sha256').update(`${repository} ${source} ${at}`).digest('hex');
  const kind = at % 10 === 0 ? 'base' : 'slice';
  return {
    ...{ repository, snapshot, original, source, kind, bytes: 1e9, added: 1e6, complete: at % 7 !== 0 },
    time: NOW - at * HOUR,
  };
}

function runAt(about: string, at: number): Run {
  const time = NOW - at * HOUR;
  const digest = createHash('sha256').update(`${about} ${at}`).digest('hex');
  const id = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-4${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
  return {
    ...{
      id,
      about,
      kind: 'snapshot',
      cause: 'schedule',
      attempt: 1,
      state: at % 9 === 0 ? 'failed' : 'succeeded',
    },
    ...{ dueAt: time, queuedAt: time, startedAt: time, endedAt: time + 1000 },
    result: { snapshots: [digest], bytes: 1e9, added: 1e6, findings: [], summary: 'saved' },
    steps: [
      { ordinal: 1, name: 'snapshot', state: 'done', attempt: 1, startedAt: time, endedAt: time + 1000 },
    ],
  };
}

function newRun(about: string): NewRun {
  return {
    ...{
      kind: 'snapshot',
      about,
      repositories: ['main'],
      cause: 'schedule',
      dueAt: NOW,
      priority: 0,
      attempt: 1,
    },
    steps: [{ name: 'snapshot', order: null, runs: 'when all is well', once: false, decides: true }],
  };
}

/** `work` may return when it was ready, so that closing does not count. */
async function measure(what: string, times: number, work: (lap: number) => Promise<unknown>): Promise<void> {
  const taken: number[] = [];
  for (let lap = 0; lap < times; lap += 1) {
    const begin = performance.now();
    const ready = await work(lap);
    taken.push((typeof ready === 'number' ? ready : performance.now()) - begin);
  }
  row(
    what,
    taken.toSorted((a, b) => a - b),
  );
}

function row(what: string, taken: readonly number[]): void {
  const text = (milliseconds: number | undefined) => `${(milliseconds ?? Number.NaN).toFixed(1)} ms`;
  print(`| ${what} | ${text(taken[Math.floor(taken.length / 2)])} | ${text(taken.at(-1))} |`);
}

async function size(database: Database): Promise<string> {
  const [row] = await database.query<{ bytes: number }>(
    'SELECT pg_database_size(current_database()) AS bytes',
  );
  return ((row?.bytes ?? 0) / 1e6).toFixed(0);
}

async function idlePlane(): Promise<void> {
  const scratch = path.join(directory, 'plane');
  await mkdir(scratch);
  const seconds = 30;
  const { readyMilliseconds, bytes, share } = await measureIdlePlane(scratch, { laps: 7, seconds });
  row('`holdfast up`, warm: from the process’s start to ready', readyMilliseconds);
  const megabytes = (count: number) => (count / 1e6).toFixed(0);
  const percent = (part: number) => (100 * part).toFixed(2);
  process.stderr.write(
    `Idle: ${megabytes(bytes.plane)} + ${megabytes(bytes.database)} MB PSS, over ${seconds} s ` +
      `${percent(share.plane)} + ${percent(share.database)} % of a core (control plane + database)\n`,
  );
}

function policyOf() {
  const parsed = parsePolicy(policyText(), { timezone: 'UTC', homeDirectory: '/', checkCron });
  if ('policy' in parsed) return parsed.policy;
  throw new Error(JSON.stringify(parsed.problems));
}

function policyText(): string {
  const place = (name: string) => ({ url: `/nowhere/${name}`, password: { env: 'PASSWORD' } });
  return JSON.stringify({
    repositories: Object.fromEntries(repositories.map((name) => [name, place(name)])),
    sources: Object.fromEntries(
      sources.map((name) => [name, { files: `/srv/${name}`, snapshot: { every: '1h' } }]),
    ),
    copies: [{ from: 'main', to: 'offsite' }],
  });
}

function laps(): number {
  return Number(options.laps);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
