import { mkdir, rm } from 'node:fs/promises';
import { type Command, startMeasured } from '../measurement.ts';
import { startRepository, tellLap } from './bases.ts';
import { renderLaps } from './lap-table.ts';
import { until } from './load.ts';
import { client, inTurn, type Lap, type Operation, place, type Stage, settle } from './stage.ts';

const ORIGIN = 'bench_origin';
const SLOT = 'bench';

/**
 * WAL that a server has kept for somebody who was away. Measured from when the server sends to when it has heard that
 * all is durable, or to the end of a program that ends there: how long a program takes to start is another matter.
 */
export const catchUp: Operation = {
  title: 'Catching up with the WAL',
  async play(stage) {
    const { cluster, holdfast, size, runs, tell } = stage;
    tell('writing WAL');
    const { from, to } = await writeWal(stage, size.walBytes);
    const bytes = Number(await cluster.value('SELECT $1::pg_lsn - $2::pg_lsn', [to, from]));
    const work = `WAL, ${(bytes / 1e6).toFixed(0)} MB`;
    const laps: Lap[] = [];
    try {
      for (let round = 0; round < runs; round++) {
        for (const lap of inTurn([ours, receiveWal], round)) {
          await cluster.query(`SELECT pg_copy_physical_replication_slot('${ORIGIN}', '${SLOT}')`);
          await settle(stage);
          const taken = { work, ...(await lap(stage, to)) };
          await until(stage, undefined, () => isFree(stage));
          await cluster.query(`SELECT pg_drop_replication_slot('${SLOT}')`);
          tellLap(stage, taken);
          laps.push(taken);
        }
      }
    } finally {
      await cluster.query(`SELECT pg_drop_replication_slot('${ORIGIN}')`);
    }
    return renderLaps(laps, holdfast.label, [{ work, peer: 'pg_receivewal', atMost: 1 }]);
  },
};

async function ours(stage: Stage, to: unknown): Promise<Omit<Lap, 'work'>> {
  const { cluster, holdfast } = stage;
  const [repository, spool] = [place(stage, 'repository'), place(stage, 'spool')];
  await startRepository(stage, repository);
  // The journal alone: what is carried into the repository meanwhile would be more than the peer does.
  const command = holdfast.journal(repository, spool, '--slot', SLOT, '--rpo', '2h');
  const lap = await timed(stage, command, async () => {
    return (await cluster.value(
      'SELECT coalesce(bool_or(flush_lsn >= $1::pg_lsn), false) FROM pg_stat_replication',
      [to],
    )) as boolean;
  });
  await rm(repository, { recursive: true });
  await rm(spool, { recursive: true });
  return { label: holdfast.label, ...lap };
}

async function receiveWal(stage: Stage, to: unknown): Promise<Omit<Lap, 'work'>> {
  const directory = place(stage, 'received');
  await mkdir(directory);
  const words = ['-D', directory, '-S', SLOT, '--no-loop', '--endpos', String(to)];
  const lap = await timed(stage, client(stage, stage.programs.receiveWal, ...words));
  await rm(directory, { recursive: true });
  return { label: `pg_receivewal ${stage.programs.major}`, ...lap };
}

/** Until it has received all, or until it ends by itself when that cannot be asked. */
async function timed(stage: Stage, command: Command, hasAll?: () => Promise<boolean>) {
  const running = startMeasured(command, stage.scratch, stage.signal);
  await until(stage, running, async () => !(await isFree(stage)));
  const started = performance.now();
  await (hasAll === undefined ? running.ended : until(stage, running, hasAll));
  const wallSeconds = (performance.now() - started) / 1000;
  if (hasAll !== undefined) running.interrupt();
  return { ...(await running.measured), wallSeconds };
}

async function isFree({ cluster }: Stage): Promise<boolean> {
  return (
    (await cluster.value(`SELECT NOT active FROM pg_replication_slots WHERE slot_name = '${SLOT}'`)) === true
  );
}

/** Behind a slot that keeps it. Rows of pgbench's own, copied into a table that is emptied again. */
async function writeWal({ cluster, signal }: Stage, bytes: number): Promise<{ from: unknown; to: unknown }> {
  await cluster.query(`SELECT pg_create_physical_replication_slot('${ORIGIN}', true)`);
  const from = await cluster.value(
    `SELECT restart_lsn FROM pg_replication_slots WHERE slot_name = '${ORIGIN}'`,
  );
  const written = () => cluster.value('SELECT pg_current_wal_lsn() - $1::pg_lsn', [from]);
  await cluster.query('CREATE TABLE ballast AS TABLE pgbench_accounts WITH NO DATA');
  while (Number(await written()) < bytes) {
    signal.throwIfAborted();
    await cluster.query('INSERT INTO ballast SELECT * FROM pgbench_accounts LIMIT 500000');
    await cluster.query('TRUNCATE ballast');
  }
  await cluster.query('DROP TABLE ballast');
  return { from, to: await cluster.value('SELECT pg_switch_wal()') };
}
