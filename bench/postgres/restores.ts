import { chown, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '../../engine/src/kernel/failure.ts';
import { type Command, run, start } from '../measurement.ts';
import { startRepository, tellLap } from './bases.ts';
import { Cluster } from './cluster.ts';
import { renderLaps } from './lap-table.ts';
import { underLoad, until } from './load.ts';
import { PgBackRest } from './pg-backrest.ts';
import { inTurn, type Lap, measured, type Operation, place, type Stage } from './stage.ts';

const BASE = 'restore, the command alone';
const READY = 'restore to the latest commit, until it takes writes';

/**
 * A base, then some load, whose WAL both archive. Each restores to the latest commit, and a server is started there:
 * pgBackRest fetches WAL only then, so that what counts is the time until it takes writes. The sums of pgbench's
 * tables have to be those of the original.
 */
export const restore: Operation = {
  title: 'Restore',
  async play(stage) {
    const { holdfast, runs, signal } = stage;
    const repository = place(stage, 'repository');
    await startRepository(stage, repository);
    const peer = await PgBackRest.prepare(
      stage.programs,
      stage.cluster,
      place(stage, 'pgbackrest'),
      stage.account,
    );
    stage.tell('taking the bases');
    await run(holdfast.backUp(repository), signal);
    const expected = await archiveLoad(stage, repository, peer);
    const words = (await holdfast.knows(['postgres', 'restore'], /restore .*<base>/))
      ? ['latest']
      : ['--to', 'latest'];
    const target = place(stage, 'restored', 'data');
    const contenders = [
      { label: holdfast.label, command: holdfast.restore(repository, target, ...words) },
      ...(peer === undefined ? [] : [{ label: peer.label, command: peer.restore(target) }]),
    ];
    const toLatest = words[0] !== 'latest';
    const laps: Lap[] = [];
    for (let round = 0; round < runs; round++) {
      for (const { label, command } of inTurn(contenders, round)) {
        for (const [work, lap] of await restoreOnce(
          stage,
          target,
          command,
          toLatest ? expected : undefined,
        )) {
          const taken = { work, label, ...lap };
          tellLap(stage, taken);
          laps.push(taken);
        }
      }
    }
    await rm(repository, { recursive: true });
    await rm(place(stage, 'pgbackrest'), { recursive: true, force: true });
    const table = renderLaps(laps, holdfast.label, [
      { work: BASE, peer: 'pgBackRest', atMost: 0.8 },
      { work: READY, peer: 'pgBackRest', atMost: 0.8 },
    ]);
    return toLatest ? table : `${table}\n\nThis holdfast restores bases alone.`;
  },
};

/** Keeps the WAL of some load in both archives; answers what then is in the tables. */
async function archiveLoad(stage: Stage, repository: string, peer: PgBackRest | undefined): Promise<string> {
  const { cluster, holdfast, signal, size } = stage;
  const spool = place(stage, 'spool');
  const journal = start(holdfast.journal(repository, spool, '--rpo', '2s'), signal);
  try {
    if (peer !== undefined) await archiveWith(cluster, peer.archiveCommand);
    await until(stage, journal, () => journal.output().includes('Streaming from'));
    if (peer !== undefined) await run(peer.backUp({ archiving: true }), signal);
    stage.tell('running a load');
    await underLoad(stage, { seconds: size.seconds / 2 });
    const expected = await sums(cluster);
    const last = await cluster.value('SELECT pg_walfile_name(pg_switch_wal())');
    await until(stage, journal, async () => {
      if (peer === undefined) return true;
      return (await cluster.value('SELECT last_archived_wal >= $1 FROM pg_stat_archiver', [last])) === true;
    });
    const shipped = () => journal.output().split('in the repository:').length;
    // What is being shipped now may have been begun before; the next slice has it all.
    const before = shipped();
    await until(stage, journal, async () => {
      await cluster.query('SELECT pg_logical_emit_message(true, $1, $1)', ['bench']);
      return shipped() >= before + 2;
    });
    return expected;
  } finally {
    await archiveWith(cluster, '/bin/true');
    journal.interrupt();
    await journal.ended;
    await rm(spool, { recursive: true, force: true });
    await cluster.query(
      'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active',
    );
  }
}

async function archiveWith(cluster: Cluster, command: string): Promise<void> {
  await cluster.query(`ALTER SYSTEM SET archive_command = '${command}'`);
  await cluster.query('SELECT pg_reload_conf()');
}

async function sums(cluster: Cluster): Promise<string> {
  const [row] = await cluster.query<Record<string, string>>(
    `SELECT (SELECT sum(abalance) FROM pgbench_accounts) AS accounts, (SELECT sum(bbalance) FROM pgbench_branches) AS
     branches, (SELECT sum(delta) FROM pgbench_history) AS deltas, (SELECT count(*) FROM pgbench_history) AS rows`,
  );
  return JSON.stringify(row);
}

/** What comes back has to be what was `expected`; of a base alone, to be a server that starts. */
async function restoreOnce(
  stage: Stage,
  target: string,
  command: Command,
  expected: string | undefined,
): Promise<Map<string, Omit<Lap, 'work' | 'label'>>> {
  await mkdir(target, { recursive: true, mode: 0o700 });
  const { account } = stage;
  for (const directory of [path.dirname(target), target])
    if (account !== undefined) await chown(directory, account.uid, account.gid);
  try {
    const restored = await measured(stage, command);
    const laps = new Map([[BASE, restored]]);
    if (expected === undefined) return laps;
    const started = performance.now();
    await using server = await Cluster.start(
      {
        programs: stage.programs,
        dataDirectory: target,
        socketDirectory: place(stage, 'restored-socket'),
        account,
        settings: { archive_mode: 'off' },
      },
      stage.signal,
    );
    const startSeconds = (performance.now() - started) / 1000;
    const found = await sums(server);
    if (found !== expected) throw new Failure('internal', `${found} came back, ${expected} was there.`);
    return laps.set(READY, { ...restored, wallSeconds: restored.wallSeconds + startSeconds });
  } finally {
    // WAL and tablespaces lie beside it.
    await rm(path.dirname(target), { recursive: true, force: true });
  }
}
