/**
 * The control plane's memory under the load that it is made for: 200 sources in two repositories, a million points, a
 * quarter of a year of runs. Prints Markdown for docs/benchmarks.md; progress goes to stderr.
 *
 *     npm run bench -- control
 *     npm run bench -- control --points 10000 --sources 20
 */
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readFindings } from '../app/src/catalog/findings.ts';
import { readJournals } from '../app/src/catalog/journals.ts';
import { readSummaries } from '../app/src/catalog/point-summary.ts';
import { readPoints, replacePoints, savePoints } from '../app/src/catalog/points.ts';
import type { Point, Run } from '../app/src/catalog/records.ts';
import { readLastGoodRuns, readLastRuns, readUnfinishedRuns, saveHistory } from '../app/src/catalog/runs.ts';
import { readMarks, saveMarks } from '../app/src/catalog/schedule-marks.ts';
import { readSizes } from '../app/src/catalog/sizes.ts';
import { readWindows } from '../app/src/catalog/windows.ts';
import type { NewRun } from '../app/src/queue/new-run.ts';
import { RunQueue } from '../app/src/queue/run-queue.ts';
import type { Database } from '../app/src/state/session.ts';
import { openState } from '../app/src/state/state.ts';
import { systemClock } from '../engine/src/kernel/clock.ts';
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
  await measure('status: everything that a judge asks', laps(), () => askAll(database));
  await measure('tick: marks, runs, and room', laps(), () => tick(database));
  await measure('points of one source, for its retention', laps(), () =>
    readPoints(database, { repository: 'main', source: 'source-1' }),
  );
  await measure('a new point of one source', laps(), (lap) =>
    database.transaction((transaction) => savePoints(transaction, [pointAt('main', 'source-1', -1 - lap)])),
  );
  await measure('one repository read anew (half of all points)', 1, () =>
    database.transaction((transaction) => replacePoints(transaction, 'offsite', pointsOf('offsite'))),
  );
  await measure('a run of one step, from asked for to recorded', laps(), (lap) => runOnce(queue, lap));
  await measure('taking one of 200 that wait', laps(), async (lap) => {
    if (lap === 0) for (const about of sources) await queue.enqueue(newRun(about));
    const taken = await queue.take('bench', (waiting) => waiting);
    if (taken !== undefined) await queue.finish(taken, { state: 'done' });
  });
  await idle(database, queue);
  print(
    `\nServer, PSS after all that: ${await serverMemory(database)} MB; database: ${await size(database)} MB`,
  );
} finally {
  await rm(directory, { recursive: true, force: true });
}

/** What `status` reads of the catalog before it judges. */
async function askAll(database: Database): Promise<void> {
  const wanted = sources.map((about) => ({ kind: 'snapshot', about }) as const);
  await Promise.all([
    readSummaries(database),
    readWindows(database),
    readJournals(database),
    readFindings(database),
    readSizes(database, NOW - 30 * 24 * HOUR),
    readLastRuns(database, wanted),
    readLastGoodRuns(database, wanted),
    readUnfinishedRuns(database),
  ]);
}

async function tick(database: Database): Promise<void> {
  const wanted = sources.map((about) => ({ kind: 'snapshot', about }) as const);
  await Promise.all([readMarks(database), readUnfinishedRuns(database), readLastRuns(database, wanted)]);
}

async function runOnce(queue: RunQueue, lap: number): Promise<void> {
  await queue.enqueue(newRun(`lap-${lap}`));
  const taken = await queue.take('bench', (waiting) => waiting);
  if (taken !== undefined) await queue.finish(taken, { state: 'done' });
}

/** A plane that has nothing to do looks at its marks every second and for steps every five; notices tell it the rest. */
async function idle(database: Database, queue: RunQueue): Promise<void> {
  for (;;) {
    const taken = await queue.take('bench', (waiting) => waiting);
    if (taken === undefined) break;
    await queue.finish(taken, { state: 'done' });
  }
  const seconds = 20;
  const [ours, theirs] = [process.cpuUsage(), await serverTicks(database)];
  for (let second = 0; second < seconds; second += 1) {
    await readMarks(database);
    if (second % 5 === 0) await queue.take('bench', (waiting) => waiting);
    await systemClock.sleep(1000);
  }
  const { user, system } = process.cpuUsage(ours);
  const server = ((await serverTicks(database)) - theirs) / 100;
  const percent = (used: number) => ((100 * used) / seconds).toFixed(2);
  print(
    `\nIdle for ${seconds} s: ${percent((user + system) / 1e6)} % of a core here, ${percent(server)} % in the server`,
  );
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
  taken.sort((a, b) => a - b);
  const text = (milliseconds: number | undefined) => `${(milliseconds ?? Number.NaN).toFixed(1)} ms`;
  print(`| ${what} | ${text(taken[Math.floor(taken.length / 2)])} | ${text(taken.at(-1))} |`);
}

async function serverProcesses(database: Database): Promise<number[]> {
  const rows = await database.query<{ pid: number }>('SELECT pid FROM pg_stat_activity');
  const postmaster = await readFile(path.join(directory, 'database/data/postmaster.pid'), 'utf8');
  return [Number(postmaster.split('\n')[0]), ...rows.map(({ pid }) => pid)];
}

async function serverMemory(database: Database): Promise<string> {
  let kilobytes = 0;
  for (const pid of await serverProcesses(database)) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    kilobytes += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  }
  return (kilobytes / 1024).toFixed(1);
}

/** Hundredths of a second of processor time, of all that live and of the postmaster's children that ended. */
async function serverTicks(database: Database): Promise<number> {
  const [postmaster, ...others] = await serverProcesses(database);
  let ticks = await ticksOf(postmaster, [11, 12, 13, 14]);
  for (const pid of others) ticks += await ticksOf(pid, [11, 12]);
  return ticks;
}

async function ticksOf(pid: number | undefined, fields: readonly number[]): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const values = text.split(') ')[1]?.split(' ') ?? [];
  return fields.reduce((sum, field) => sum + Number(values[field] ?? 0), 0);
}

async function size(database: Database): Promise<string> {
  const [row] = await database.query<{ bytes: number }>(
    'SELECT pg_database_size(current_database()) AS bytes',
  );
  return ((row?.bytes ?? 0) / 1e6).toFixed(0);
}

function laps(): number {
  return Number(options.laps);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
