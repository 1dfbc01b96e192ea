import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../engine/src/kernel/clock.ts';

const PROGRAM = [
  '--max-semi-space-size=4',
  '--conditions=source',
  '--disable-warning=ExperimentalWarning',
  fileURLToPath(new URL('../app/src/main.ts', import.meta.url)),
];

/** A `holdfast up` as a person starts it, and what it needs while it has nothing to do. */
export interface IdlePlane {
  /** From the start of the process to the word that it is ready, with everything there from before. */
  readonly readyMilliseconds: readonly number[];
  /** Control plane and database, each process's own and its part of what they share. */
  readonly bytes: { readonly plane: number; readonly database: number };
  /** Of one core. */
  readonly share: { readonly plane: number; readonly database: number };
}

/** In an empty directory that every user may pass through: a folder, a repository, a policy, a state. */
export async function measureIdlePlane(
  directory: string,
  { laps, seconds }: { laps: number; seconds: number },
): Promise<IdlePlane> {
  const place = await prepare(directory);
  await (await start(place)).stop();
  const readyMilliseconds: number[] = [];
  for (let lap = 0; lap < laps; lap += 1) {
    const plane = await start(place);
    readyMilliseconds.push(plane.readyAfter);
    await plane.stop();
  }
  const plane = await start(place);
  try {
    await plane.rest();
    const members = await membersOf(place.state, plane.pid);
    const before = await ticksOf(members);
    await systemClock.sleep(seconds * 1000);
    const after = await ticksOf(await membersOf(place.state, plane.pid));
    const share = (who: 'plane' | 'database') =>
      Math.max(0, after[who] - before[who]) / TICKS_PER_SECOND / seconds;
    return {
      readyMilliseconds: readyMilliseconds.toSorted((a, b) => a - b),
      bytes: { plane: await pssOf(members.plane), database: await pssOf(members.database) },
      share: { plane: share('plane'), database: share('database') },
    };
  } finally {
    await plane.stop();
  }
}

interface Place {
  readonly policy: string;
  readonly state: string;
}

async function prepare(directory: string): Promise<Place> {
  const at = (name: string) => path.join(directory, name);
  await mkdir(at('data'));
  await writeFile(at('data/file'), 'something to protect');
  await writeFile(at('password'), 'open sesame', { mode: 0o600 });
  await writeFile(
    at('holdfast.yaml'),
    JSON.stringify({
      repositories: {
        main: { url: at('repository'), password: { file: at('password') }, sameHost: 'accepted' },
      },
      sources: { data: { files: at('data') } },
    }),
  );
  const made = spawn(
    process.execPath,
    [...PROGRAM, 'repo', 'init', '-r', at('repository'), '-p', at('password')],
    {
      stdio: 'ignore',
    },
  );
  await new Promise((resolve) => made.once('close', resolve));
  return { policy: at('holdfast.yaml'), state: at('state') };
}

async function start({ policy, state }: Place) {
  const begin = performance.now();
  const child = spawn(process.execPath, [...PROGRAM, 'up', '--json', '--policy', policy, '--state', state], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const lines = heard(child);
  let working = 0;
  let last = performance.now();
  const ready = Promise.withResolvers<number>();
  void ended.then(() => ready.reject(new Error('holdfast up ended before it was ready')));
  lines.on('line', (line) => {
    const { event } = JSON.parse(line) as { event?: string };
    if (event === 'ready') ready.resolve(performance.now() - begin);
    if (event === 'began') working += 1;
    if (event === 'ended') working -= 1;
    last = performance.now();
  });
  return {
    pid: child.pid ?? 0,
    readyAfter: await ready.promise,
    /** Resolves when nothing has happened for a while. */
    async rest() {
      while (working > 0 || performance.now() - last < QUIET_MS) await systemClock.sleep(500);
    },
    async stop() {
      child.kill('SIGINT');
      await ended;
    },
  };
}

function heard({ stdout }: ChildProcess) {
  if (stdout === null) throw new TypeError('stdout is a pipe');
  return createInterface({ input: stdout });
}

interface Members {
  readonly plane: readonly number[];
  readonly database: readonly number[];
}

async function membersOf(state: string, plane: number): Promise<Members> {
  const text = await readFile(path.join(state, 'database/data/postmaster.pid'), 'utf8');
  const postmaster = Number(text.split('\n')[0]);
  const others: number[] = [];
  for (const name of await readdir('/proc')) {
    if (/^\d+$/.test(name) && (await statOf(Number(name)))[1] === postmaster) others.push(Number(name));
  }
  return { plane: [plane], database: [postmaster, ...others] };
}

async function ticksOf({ plane, database }: Members): Promise<{ plane: number; database: number }> {
  const [postmaster = 0, ...others] = database;
  const sum = async (pids: readonly number[], fields: readonly number[]) => {
    let ticks = 0;
    for (const pid of pids) {
      const stat = await statOf(pid);
      for (const field of fields) ticks += stat[field] ?? 0;
    }
    return ticks;
  };
  return {
    plane: await sum(plane, OWN_TICKS),
    // Of children that have ended as well: a connection that comes and goes costs a process each time.
    database: (await sum([postmaster], [...OWN_TICKS, ...CHILDREN_TICKS])) + (await sum(others, OWN_TICKS)),
  };
}

/** Fields of /proc/PID/stat from the state on (0); empty when it is gone. */
async function statOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}

async function pssOf(pids: readonly number[]): Promise<number> {
  let kilobytes = 0;
  for (const pid of pids) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    kilobytes += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

const OWN_TICKS = [11, 12];
const CHILDREN_TICKS = [13, 14];
const TICKS_PER_SECOND = 100;
const QUIET_MS = 10_000;
