import { rm } from 'node:fs/promises';
import { renderLatencies } from '../foreground/latency-table.ts';
import { start } from '../measurement.ts';
import { startRepository } from './bases.ts';
import type { Cluster } from './cluster.ts';
import { underLoad } from './load.ts';
import { type Operation, place, type Stage, settle } from './stage.ts';

/** Ways to go easy on a server. */
const VARIANTS: readonly (readonly string[])[] = [
  [],
  ['--checkpoint', 'spread'],
  ['--max-rate', '51200'],
  ['--max-rate', '20480'],
  ['--checkpoint', 'spread', '--max-rate', '51200'],
];

/** What clients feel of a base: latency at half of what the server can do, alone and while bases are taken. */
export const felt: Operation = {
  title: 'Beside the work of others',
  async play(stage) {
    const { cluster, size, runs, tell } = stage;
    const { seconds } = size;
    // Else a base that waits for the next checkpoint would wait longer than anybody looks.
    await setting(cluster, `SET checkpoint_timeout = '30s'`);
    const { transactionsPerSecond } = await underLoad(stage, { seconds });
    const rate = Math.floor(transactionsPerSecond / 2);
    tell(`at most ${transactionsPerSecond.toFixed(0)} transactions a second`);
    const rows = [undefined, ...VARIANTS].map((flags) => ({
      during: flags === undefined ? 'no backup' : ['a base', ...flags].join(' '),
      flags,
      latencies: [] as number[],
      backupSeconds: [] as number[],
    }));
    for (let round = 0; round < runs; round++) {
      for (const { during, flags, latencies, backupSeconds } of rows) {
        tell(`felt, run ${round + 1}: ${during}`);
        await settle(stage);
        const report = await underLoad(stage, { seconds, rate }, async (over) => {
          while (flags !== undefined && !over.aborted) {
            const took = await takeBase(stage, flags, over);
            if (took !== undefined) backupSeconds.push(took);
          }
        });
        latencies.push(...report.latencies);
      }
    }
    await setting(cluster, 'RESET checkpoint_timeout');
    const table = renderLatencies(rows);
    return `${rate} of at most ${transactionsPerSecond.toFixed(0)} transactions a second, 8 clients; goal at p95 ≤ 1.25 ×\n\n${table}`;
  },
};

async function setting(cluster: Cluster, change: string): Promise<void> {
  await cluster.query(`ALTER SYSTEM ${change}`);
  await cluster.query('SELECT pg_reload_conf()');
}

/** Its seconds; undefined when it was stopped because there is nobody left to feel it. */
async function takeBase(
  stage: Stage,
  flags: readonly string[],
  over: AbortSignal,
): Promise<number | undefined> {
  const repository = place(stage, 'repository');
  await startRepository(stage, repository);
  const started = performance.now();
  const running = start(stage.holdfast.backUp(repository, ...flags), stage.signal);
  over.addEventListener('abort', running.interrupt, { once: true });
  await running.ended;
  over.removeEventListener('abort', running.interrupt);
  await rm(repository, { recursive: true });
  return over.aborted ? undefined : (performance.now() - started) / 1000;
}
