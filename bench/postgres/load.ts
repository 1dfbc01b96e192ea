import { readdir, readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Running, start } from '../measurement.ts';
import { client, place, type Stage } from './stage.ts';

export interface LoadOptions {
  readonly seconds: number;
  /** Transactions a second; as many as there can be unless said. */
  readonly rate?: number;
}

/** What pgbench's own mix of transactions came to. */
export interface LoadReport {
  readonly transactionsPerSecond: number;
  /** Of each transaction, in milliseconds, from when it was due. */
  readonly latencies: readonly number[];
}

/** Eight clients run pgbench's mix; `during` begins with them, and is told by its signal when they have ended. */
export async function underLoad(
  stage: Stage,
  { seconds, rate }: LoadOptions,
  during?: (over: AbortSignal) => Promise<unknown>,
): Promise<LoadReport> {
  const log = place(stage, 'pgbench-log');
  const pace = rate === undefined ? [] : ['-R', String(rate)];
  const words = ['-c', '8', '-j', '2', '-n', '-T', String(seconds), ...pace, '-l', '--log-prefix', log];
  const over = new AbortController();
  const running = start(client(stage, stage.programs.pgbench, ...words), stage.signal);
  const [output] = await Promise.all([running.ended.finally(() => over.abort()), during?.(over.signal)]);
  const tps = /^tps = ([\d.]+)/m.exec(output)?.[1];
  return { transactionsPerSecond: Number(tps), latencies: await readLatencies(stage.scratch) };
}

/** Lines of `client transaction microseconds script seconds microseconds …`; removes the files. */
async function readLatencies(directory: string): Promise<number[]> {
  const latencies: number[] = [];
  for (const name of await readdir(directory)) {
    if (!name.startsWith('pgbench-log')) continue;
    const file = `${directory}/${name}`;
    for (const line of (await readFile(file, 'utf8')).split('\n')) {
      if (line !== '') latencies.push(Number(line.split(' ')[2]) / 1000);
    }
    await rm(file);
  }
  return latencies;
}

/** Asks until the answer is true; fails with what the program said when it ends before. */
export async function until(
  stage: Stage,
  running: Running | undefined,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const dead = running?.ended.then((output) => {
    throw new Error(`it ended too early:\n${output}`);
  });
  // Looked at below, again and again.
  dead?.catch(() => undefined);
  while (!(await isSo())) {
    const pause = delay(ASK_EVERY_MS, undefined, { signal: stage.signal });
    await (dead === undefined ? pause : Promise.race([pause, dead]));
  }
}

const ASK_EVERY_MS = 5;
