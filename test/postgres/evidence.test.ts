import { readdirSync } from 'node:fs';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { LOAD_SCHEMA, startLoad } from '../scenes/postgres-load.ts';
import { type Major, startPostgres } from '../servers/postgres.ts';
import { EvidenceScene, ofDatabase } from './evidence-scene.ts';
import { JournalScene, standbyOf } from './journal-scene.ts';

describe.each<Major>([14, 18])('evidence of PostgreSQL %i', (major) => {
  test.each([
    ['logical', 'slot'],
    ['replica', 'log'],
  ])(
    'is exact under load with wal_level = %s, five times of five',
    async (level, method) => {
      await using server = await startPostgres({ major, settings: { wal_level: level } });
      await server.query(LOAD_SCHEMA);
      await server.query('CREATE DATABASE second');
      await using scene = await EvidenceScene.protect(server);
      const load = await startLoad(server.url);
      const taken = [];
      // Once of all databases: each is a position of its own.
      for (let time = 0; time < 5; time += 1) {
        taken.push(await scene.sample(time === 0 ? {} : { databases: ['postgres'] }));
      }
      await load.stop();
      await scene.ship();
      for (const evidence of taken) {
        expect(ofDatabase(evidence).method).toBe(method);
        const { content, findings, pages } = await scene.verify(evidence);
        expect(findings).toEqual([]);
        expect(content.find(({ database }) => database === 'postgres')).toMatchObject({
          exact: 3,
          different: 0,
          unknown: 0,
          tolerance: 0,
        });
        expect(content).toHaveLength(evidence === taken[0] ? 3 : 1);
        expect(pages?.pages).toBeGreaterThan(1000);
      }
    },
    300_000,
  );
});

test('a commit that waits for a standby while evidence is taken is told as a tolerance, not hidden', async () => {
  await using server = await startPostgres({ major: 16 });
  await server.query('CREATE TABLE t AS SELECT 1 AS n; CREATE TABLE other AS SELECT 1 AS n');
  await using scene = await EvidenceScene.protect(server);
  await server.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  await server.query('SELECT pg_reload_conf()');
  const writer = new Client({ connectionString: server.url });
  writer.on('error', () => undefined);
  await writer.connect();
  await expect
    .poll(async () => (await writer.query('SHOW synchronous_standby_names')).rows)
    .toMatchObject([{ synchronous_standby_names: 'nobody' }]);
  const waiting = writer.query('INSERT INTO t VALUES (2)').catch(() => undefined);
  await expect
    .poll(() => server.query("SELECT wait_event FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))
    .toHaveLength(1);
  const evidence = await scene.sample({ databases: ['postgres'] });
  await server.query("ALTER SYSTEM SET synchronous_standby_names = ''");
  await server.query('SELECT pg_reload_conf()');
  await waiting;
  await writer.end();
  await scene.ship();
  const { content, findings } = await scene.verify(evidence);
  expect(content).toMatchObject([{ exact: 1, unknown: 1, different: 0, tolerance: 1 }]);
  expect(findings).toMatchObject([
    {
      severity: 'warning',
      code: 'evidence.tolerance',
      message: expect.stringMatching(/^1 rows in the original, 2/),
    },
  ]);
});

test('evidence of a standby is exact, and one that cannot know its position says so', async () => {
  await using primary = await startPostgres({ major: 18, settings: { wal_level: 'logical' } });
  await primary.query('CREATE TABLE t AS SELECT n FROM generate_series(1, 100) n');
  await using copies = new JournalScene();
  await primary.stop();
  const copy = copies.coldCopy(primary);
  await primary.start();
  await using scene = await EvidenceScene.protect(primary);
  await using standby = await standbyOf(primary, copy, 18);
  const address = { hosts: [{ name: '127.0.0.1', port: standby.port }] };
  await primary.query('INSERT INTO t VALUES (101)');
  await expect.poll(() => standby.query('SELECT count(*)::int AS count FROM t')).toEqual([{ count: 101 }]);
  const taking = scene.sample({ ...scene.at(address), databases: ['postgres'], slotPatience: 30_000 });
  // A slot on a standby waits until the primary has said which transactions run.
  const nudge = setInterval(() => void primary.query('SELECT pg_log_standby_snapshot()'), 200);
  const evidence = await taking.finally(() => clearInterval(nudge));
  expect(ofDatabase(evidence)).toMatchObject({ method: 'slot', tables: [{ rows: '101' }] });
  await primary.query('INSERT INTO t SELECT n FROM generate_series(1, 20000) n');
  await scene.ship();
  expect((await scene.verify(evidence)).findings).toEqual([]);

  const refused = await scene.sample({ ...scene.at(address), databases: ['postgres'], slotPatience: 1 });
  expect(refused.databases).toMatchObject([{ name: 'postgres', unknown: expect.stringMatching(/standby/) }]);
});

test('a verification that is cut off leaves neither a directory nor a server', async () => {
  await using server = await startPostgres({ major: 16, settings: { wal_level: 'logical' } });
  await server.query('CREATE TABLE t AS SELECT 1 AS n');
  await using scene = await EvidenceScene.protect(server);
  const evidence = await scene.sample();
  await scene.ship();
  for (const step of ['recovering', 'comparing', 'pages'] as const) {
    const stop = new AbortController();
    const cut = scene.verify(evidence, stop.signal, (at) => {
      if (at === step) stop.abort();
    });
    await expect(cut, step).rejects.toMatchObject({ name: 'AbortError' });
    expect(readdirSync(scene.bases.base), step).toEqual(['repository']);
  }
});
