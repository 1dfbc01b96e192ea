import { Client } from 'pg';
import { expect, test } from 'vitest';
import { LOAD_SCHEMA, LOAD_SUMS, type LoadSums, startLoad } from '../scenes/postgres-load.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { type Major, type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { leavesNothingOnServer } from './base-leftovers.ts';
import { JournalScene, standbyOf } from './journal-scene.ts';

async function withStandby(
  major: Major,
  work: (primary: RunningPostgres, standby: RunningPostgres) => Promise<void>,
): Promise<void> {
  await using primary = await startPostgres({ major });
  await using copies = new JournalScene();
  await primary.query(LOAD_SCHEMA);
  await primary.stop();
  await using standby = await standbyOf(primary, copies.coldCopy(primary), major);
  await primary.start();
  const streaming = "SELECT 1 AS yes FROM pg_stat_wal_receiver WHERE status = 'streaming'";
  await expect.poll(() => standby.query(streaming), { timeout: 30_000 }).toEqual([{ yes: 1 }]);
  await work(primary, standby);
}

test.each<Major>([14, 18])(
  'a base taken from a standby of PostgreSQL %i while its primary is written to is of one moment',
  async (major) => {
    await withStandby(major, async (primary, standby) => {
      using scene = new PostgresScene();
      const repository = await scene.create();
      const load = await startLoad(primary.url);
      const written = load.acknowledged();
      await replayed(primary, standby);
      const { snapshot, record } = await scene.backUp(repository, standby.url);
      await load.stop();
      expect(record.standby).toBe(true);
      await leavesNothingOnServer(standby);
      const { target } = await scene.restore(repository, snapshot);
      const [sums] = await scene.ask<LoadSums>(repository, snapshot, target, LOAD_SUMS);
      expect(sums?.accounts).toBe(sums?.history);
      expect(sums?.tellers).toBe(sums?.history);
      expect(sums?.count).toBeGreaterThanOrEqual(written);
    });
  },
);

test('a standby whose primary writes no full pages cannot be the source, and the failure says what to change where', async () => {
  await withStandby(16, async (primary, standby) => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const set = async (sql: string) => {
      await primary.query(sql);
      await primary.query('SELECT pg_reload_conf()');
      await primary.query('CHECKPOINT');
      await replayed(primary, standby);
    };
    await set('ALTER SYSTEM SET full_page_writes = off');
    await expect
      .poll(() => attempt(scene, repository, standby), { timeout: 30_000 })
      .toMatchObject({
        code: 'source.unsupported',
        hint: expect.stringContaining(
          'ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf(); CHECKPOINT;',
        ),
      });
    expect(await repository.loadSnapshots()).toEqual([]);
    await set('ALTER SYSTEM SET full_page_writes = on');
    await expect.poll(() => attempt(scene, repository, standby), { timeout: 30_000 }).toBeUndefined();
  });
});

test('tables made, changed and dropped all the while do no harm to a base', async () => {
  await using server = await startPostgres({ major: 18 });
  await server.query('CREATE TABLE kept AS SELECT generate_series(1, 20000) AS n');
  using scene = new PostgresScene();
  const repository = await scene.create();
  const client = new Client({ connectionString: server.url });
  await client.connect();
  let running = true;
  let rounds = 0;
  const changes = (async () => {
    for (; running; rounds++) {
      await client.query(
        `CREATE TABLE fleeting_${rounds} AS SELECT n, n::text AS note FROM generate_series(1, 500) n`,
      );
      await client.query(`CREATE INDEX ON fleeting_${rounds} (note)`);
      await client.query(`ALTER TABLE fleeting_${rounds} ALTER n TYPE bigint`);
      if (rounds >= 3) await client.query(`DROP TABLE fleeting_${rounds - 3}`);
      if (rounds % 5 === 0) await client.query(`TRUNCATE fleeting_${rounds}`);
    }
  })();
  await expect.poll(() => rounds, { timeout: 30_000 }).toBeGreaterThan(3);
  const before = rounds;
  const { snapshot } = await scene.backUp(repository, server.url, { maxRate: 16 * 1024 });
  expect(rounds).toBeGreaterThan(before);
  running = false;
  await changes;
  await client.end();
  const { target } = await scene.restore(repository, snapshot);
  const [counts] = await scene.ask<{ kept: number; tables: number; rows: number }>(
    repository,
    snapshot,
    target,
    `SELECT (SELECT count(*) FROM kept)::int AS kept, count(*)::int AS tables,
            sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(note) AS c FROM %s WHERE note >= %L', oid::regclass, ''), false, true, '')))[1]::text::int)::int % 500 AS rows
     FROM pg_class WHERE relname LIKE 'fleeting%' AND relkind = 'r'`,
  );
  expect(counts).toMatchObject({ kept: 20_000, rows: 0 });
  expect(counts?.tables).toBeGreaterThan(0);
});

test('of a transaction that runs on and on while a base is taken nothing is in it, of all others everything', async () => {
  await using server = await startPostgres({ major: 18 });
  await server.query("CREATE TABLE orders AS SELECT n, 'done' AS state FROM generate_series(1, 10000) n");
  using scene = new PostgresScene();
  const repository = await scene.create();
  const client = new Client({ connectionString: server.url });
  await client.connect();
  await client.query('BEGIN');
  await client.query("INSERT INTO orders SELECT n, 'open' FROM generate_series(1, 5000) n");
  await client.query("UPDATE orders SET state = 'changed' WHERE n <= 100");
  // Its pages are on the disk, and in the base, before it ends.
  await server.query('CHECKPOINT');
  const { snapshot } = await scene.backUp(repository, server.url);
  await client.query('COMMIT');
  await client.end();
  const { target } = await scene.restore(repository, snapshot);
  const states = 'SELECT state, count(*)::int AS count, sum(n)::int AS sum FROM orders GROUP BY state';
  expect(await scene.ask(repository, snapshot, target, states)).toEqual([
    { state: 'done', count: 10_000, sum: 50_005_000 },
  ]);
});

test('a database that nobody can enter, since its removal was interrupted, keeps no base from being taken', async () => {
  await using server = await startPostgres({ major: 18 });
  await server.query('CREATE DATABASE halfway');
  // What DROP DATABASE does first, and what is left when it goes no further.
  await server.query("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'halfway'");
  using scene = new PostgresScene();
  const { record } = await scene.backUp(await scene.create(), server.url);
  const halfway = record.databases?.find(({ name }) => name === 'halfway');
  expect(halfway).toMatchObject({ provider: 'libc' });
  expect(halfway?.extensions).toBeUndefined();
});

/** Until the standby has replayed what the primary has written so far. */
async function replayed(primary: RunningPostgres, standby: RunningPostgres): Promise<void> {
  const [row] = await primary.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
  const behind = 'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done';
  await expect.poll(() => standby.query(behind, [row?.lsn]), { timeout: 30_000 }).toEqual([{ done: true }]);
}

async function attempt(
  scene: PostgresScene,
  repository: Parameters<PostgresScene['backUp']>[0],
  server: RunningPostgres,
): Promise<unknown> {
  return await scene.backUp(repository, server.url).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}
