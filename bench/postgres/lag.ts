import { rm } from 'node:fs/promises';
import { percentile } from '../foreground/latency-table.ts';
import { type Command, start } from '../measurement.ts';
import { startRepository } from './bases.ts';
import { underLoad, until } from './load.ts';
import { client, inTurn, type Operation, place, type Stage } from './stage.ts';

const RATE = 1000;

/** How far behind a commit the receiver is that has it on its disk, as the server sees it, 50 times a second. */
export const lag: Operation = {
  title: `Lag at ${RATE} transactions a second`,
  async play(stage) {
    const felt = new Map<string, Felt[]>();
    for (let round = 0; round < stage.runs; round++) {
      for (const [label, command] of inTurn(await receivers(stage), round)) {
        const found = await feltBy(stage, command);
        stage.tell(`lag, ${label}: p95 ${percentile(found.lags, 95).toFixed(1)} ms`);
        felt.set(label, [...(felt.get(label) ?? []), found]);
        for (const name of ['repository', 'spool', 'received'])
          await rm(place(stage, name), { recursive: true, force: true });
      }
    }
    const rows = [...felt].map(([label, some]) => row(label, some));
    return [
      '| receiver | p50 ms | p95 ms | goal | largest ms | by its own clock: p50 ms | p95 ms | transactions/s |',
      '|---|--:|--:|--:|--:|--:|--:|--:|',
      ...rows,
    ].join('\n');
  },
};

interface Felt {
  /** Milliseconds each. */
  readonly lags: readonly number[];
  /** What the receiver says itself, once a second. */
  readonly own: readonly number[];
  readonly transactionsPerSecond: number;
}

function row(label: string, some: readonly Felt[]): string {
  const lags = some.flatMap((one) => one.lags);
  const own = some.flatMap((one) => one.own);
  const rate = some.reduce((sum, one) => sum + one.transactionsPerSecond, 0) / some.length;
  const at = (values: readonly number[], share: number) =>
    values.length === 0 ? '' : percentile(values, share).toFixed(1);
  const goal = own.length === 0 ? '' : '≤ 20';
  const cells = [label, at(lags, 50), at(lags, 95), goal, at(lags, 100), at(own, 50), at(own, 95)];
  return `| ${[...cells, rate.toFixed(0)].join(' | ')} |`;
}

async function receivers(stage: Stage): Promise<[label: string, command: () => Promise<Command>][]> {
  const { holdfast, programs } = stage;
  const [repository, spool, received] = ['repository', 'spool', 'received'].map((name) =>
    place(stage, name),
  ) as [string, string, string];
  return [
    [
      holdfast.label,
      async () => {
        await startRepository(stage, repository);
        return holdfast.journal(repository, spool);
      },
    ],
    [
      `pg_receivewal ${programs.major} --synchronous`,
      async () => {
        const words = ['-c', 'mkdir -p "$1" && exec "$0" -D "$1" --synchronous --no-loop'];
        return client(stage, 'sh', ...words, programs.receiveWal, received);
      },
    ],
  ];
}

async function feltBy(stage: Stage, command: () => Promise<Command>): Promise<Felt> {
  const { cluster, signal, size } = stage;
  const receiver = start(await command(), signal);
  const lags: number[] = [];
  const flushLag = `SELECT extract(epoch FROM flush_lag) * 1000 FROM pg_stat_replication WHERE state = 'streaming'`;
  await until(stage, receiver, async () => (await cluster.query(flushLag)).length > 0);
  const { transactionsPerSecond } = await underLoad(
    stage,
    { seconds: size.seconds, rate: RATE },
    async (over) => {
      let next = performance.now();
      await until(stage, receiver, async () => {
        if (performance.now() < next) return over.aborted;
        next += SAMPLE_EVERY_MS;
        // Null while there is nothing that could be late.
        const value = await cluster.value(flushLag);
        if (value !== null && value !== undefined) lags.push(Number(value));
        return over.aborted;
      });
    },
  );
  receiver.interrupt();
  const output = await receiver.ended;
  await cluster.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active`,
  );
  return { lags, own: ownLags(output), transactionsPerSecond };
}

/** From the status lines of the journal: `durable up to 0/15D68C8, 4 ms after the server`. */
function ownLags(output: string): number[] {
  return [...output.matchAll(/, ([\d.]+) (m?s) after the server/g)].map(
    ([, amount, unit]) => Number(amount) * (unit === 's' ? 1000 : 1),
  );
}

const SAMPLE_EVERY_MS = 20;
