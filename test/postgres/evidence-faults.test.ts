import { open } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { viewRepository } from '../../app/src/journal/repository-view.ts';
import { compareDatabase } from '../../app/src/sources/postgres/evidence/comparison.ts';
import { readCopy } from '../../app/src/sources/postgres/evidence/copy-content.ts';
import type { Evidence } from '../../app/src/sources/postgres/evidence/evidence.ts';
import { SqlSession } from '../../app/src/sources/postgres/evidence/sql-session.ts';
import { USUAL_LIMITS } from '../../app/src/sources/postgres/evidence/table-plan.ts';
import { planVerification } from '../../app/src/sources/postgres/evidence/verification.ts';
import { verifyCopy } from '../../app/src/sources/postgres/evidence/verify-copy.ts';
import { findPrograms } from '../../app/src/sources/postgres/restore/programs.ts';
import { restoreMoment } from '../../app/src/sources/postgres/restore/restore-moment.ts';
import { startScratchServer } from '../../app/src/sources/postgres/restore/scratch-server.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { type Major, type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { addressOf, EvidenceScene, ofDatabase } from './evidence-scene.ts';

const signal = new AbortController().signal;

/** A copy that stands before the evidence, and what belongs to it. */
async function copyOf(scene: EvidenceScene, evidence: Evidence, action: 'pause' | 'promote') {
  const view = await viewRepository(scene.repository);
  const { indexed } = view;
  const plan = await planVerification(view, evidence, { clock: systemClock, signal });
  const dataDirectory = path.join(scene.bases.base, 'copy');
  await restoreMoment(indexed, plan, { directory: dataDirectory, action, clock: systemClock, signal });
  const { record } = plan.base;
  return { dataDirectory, record, programs: await findPrograms(record.major), clock: systemClock, signal };
}

/** Our sessions and slots, but for the journal's. */
async function leftOn(server: RunningPostgres) {
  return await server.query(
    `SELECT pid::text, query FROM pg_stat_activity
     WHERE pid <> pg_backend_pid() AND application_name = 'holdfast' AND query NOT LIKE 'START_REPLICATION SLOT%'
     UNION ALL SELECT slot_name, 'slot' FROM pg_replication_slots WHERE temporary`,
  );
}

describe.each<Major>([14, 18])('a copy of PostgreSQL %i', (major) => {
  test('with a row less is not what the original was', async () => {
    await using server = await startPostgres({ major, settings: { wal_level: 'logical' } });
    await server.query('CREATE TABLE orders (id int PRIMARY KEY, note text)');
    await server.query("INSERT INTO orders SELECT n, 'note ' || n FROM generate_series(1, 1000) n");
    await using scene = await EvidenceScene.protect(server);
    const evidence = await scene.sample({
      aggregates: new Map([['postgres.public.orders', ['max(id)', 'sum(length(note))']]]),
    });
    await server.query('DELETE FROM orders WHERE id > 10');
    await scene.ship();
    const recorded = ofDatabase(evidence);
    expect(recorded.tables).toMatchObject([
      { name: 'orders', rows: '1000', aggregates: { 'max(id)': '1000', 'sum(length(note))': '7893' } },
    ]);
    const copy = await copyOf(scene, evidence, 'promote');
    await using scratch = await startScratchServer(copy);
    await using sql = await SqlSession.open(scratch.address, signal);
    const compare = async () => compareDatabase(recorded, await readCopy(sql, recorded));
    expect((await compare()).verdict).toMatchObject({ exact: 1, different: 0 });
    await sql.query("UPDATE public.orders SET note = 'other' WHERE id = 500");
    expect((await compare()).findings).toMatchObject([
      { severity: 'error', message: expect.stringMatching(/1000 rows in both, but their content differs/) },
    ]);
    await sql.query('DELETE FROM public.orders WHERE id = 500');
    const { verdict, findings } = await compare();
    expect(verdict).toMatchObject({ exact: 0, different: 1 });
    expect(findings).toMatchObject([{ code: 'evidence.different', subject: 'postgres: public.orders' }]);
    expect(findings[0]?.message).toMatch(/1000 rows in the original, 999 in the copy/);
    await sql.query('ALTER TABLE public.orders RENAME TO renamed');
    expect((await compare()).findings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/public.renamed/),
      expect.stringMatching(/the table is missing/),
    ]);
  });

  test('with a damaged page is found out, also where nobody reads it', async () => {
    await using server = await startPostgres({ major, settings: { wal_level: 'logical' } });
    await server.query('CREATE TABLE cold AS SELECT n, repeat($$x$$, 500) FROM generate_series(1, 1000) n');
    await server.query('CREATE INDEX by_number ON cold (n)');
    await using scene = await EvidenceScene.protect(server);
    const evidence = await scene.sample();
    await scene.ship();
    const [row] = await server.query<{ file: string }>("SELECT pg_relation_filepath('by_number') AS file");
    const copy = await copyOf(scene, evidence, 'pause');
    const file = await open(path.join(copy.dataDirectory, row?.file ?? ''), 'r+');
    await file.write(Buffer.from('damage'), 0, 6, 2 * 8192 + 8100);
    await file.close();
    const { findings, content } = await verifyCopy({ ...copy, evidence });
    expect(findings.filter(({ code }) => code === 'pages.damaged')).toMatchObject([
      { severity: 'error', subject: row?.file, message: 'page 2 of the copy has a wrong checksum' },
    ]);
    expect(content.every(({ different }) => different === 0)).toBe(true);
  });

  test('is compared block by block where a table is too large to be read', async () => {
    await using server = await startPostgres({ major, settings: { wal_level: 'logical' } });
    await server.query(
      'CREATE TABLE large AS SELECT n, repeat($$x$$, 200) AS filler FROM generate_series(1, 40000) n',
    );
    await using scene = await EvidenceScene.protect(server);
    await server.query('DELETE FROM large WHERE n % 3 = 0');
    const limits = { ...USUAL_LIMITS, contentBytes: 1e6, countBytes: 2e6 };
    const evidence = await scene.sample({ limits });
    // What comes later moves rows and frees blocks on the original, and does not on the copy.
    await server.query('UPDATE large SET n = n + 1');
    await server.query('VACUUM large');
    await scene.ship();
    expect(ofDatabase(evidence).tables).toMatchObject([
      { name: 'large', sample: { percent: expect.any(Number) } },
    ]);
    const { content, findings } = await scene.verify(evidence);
    expect(content.find(({ database }) => database === 'postgres')).toMatchObject({ exact: 1, sampled: 1 });
    expect(findings).toMatchObject([
      {
        severity: 'note',
        code: 'evidence.sampled',
        message: expect.stringMatching(/only \d.* % of its blocks/),
      },
    ]);
  });
});

describe.each<Major>([14, 18])('what cannot be learnt of PostgreSQL %i', (major) => {
  test('is unknown, with the SQL that would help', async () => {
    await using server = await startPostgres({ major, settings: { wal_level: 'logical' } });
    await server.query('CREATE ROLE backup LOGIN REPLICATION');
    await server.query('CREATE TABLE open_to_all AS SELECT 1 AS n; GRANT SELECT ON open_to_all TO backup');
    await server.query('CREATE TABLE secret AS SELECT 1 AS n');
    await server.query(
      'CREATE TABLE filtered AS SELECT 1 AS n; GRANT SELECT ON filtered TO backup; ALTER TABLE filtered ENABLE ROW LEVEL SECURITY',
    );
    await server.query('CREATE UNLOGGED TABLE lost_anyway AS SELECT 1 AS n');
    await server.query('CREATE TABLE parts (n int) PARTITION BY RANGE (n)');
    await server.query(
      'CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9); GRANT SELECT ON part TO backup',
    );
    await server.query('INSERT INTO parts VALUES (1), (2)');
    await using scene = await EvidenceScene.protect(server);
    const address = addressOf(server.url.replace('postgres@', 'backup@'));
    const evidence = await scene.sample({ address, databases: ['postgres', 'nowhere'] });
    await scene.ship();
    const { tables, leftOut } = ofDatabase(evidence);
    expect(leftOut).toEqual({ unlogged: 1, foreign: 0 });
    expect(tables.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toMatchObject([
      { name: 'filtered', unknown: 'row-security', hint: expect.stringMatching(/BYPASSRLS/) },
      { name: 'open_to_all', rows: '1' },
      { name: 'part', rows: '2' },
      { name: 'secret', unknown: 'privilege', hint: 'GRANT pg_read_all_data TO "backup";' },
    ]);
    expect(evidence.databases[1]).toMatchObject({ name: 'nowhere', unknown: expect.stringMatching(/exist/) });
    const { content, findings } = await scene.verify(evidence);
    expect(content).toMatchObject([{ exact: 2, unknown: 2, different: 0 }]);
    expect(findings.map(({ severity }) => severity)).toEqual(['warning', 'warning', 'warning']);
    await server.query('GRANT pg_read_all_data TO backup; ALTER ROLE backup BYPASSRLS');
    const granted = await scene.sample({ address, databases: ['postgres'] });
    expect(ofDatabase(granted).tables.filter((table) => 'unknown' in table)).toEqual([]);
  });

  test('is told apart: no time, locked, rewritten meanwhile', async () => {
    await using server = await startPostgres({ major, settings: { wal_level: 'logical' } });
    await server.query('CREATE TABLE a_first AS SELECT 1 AS n');
    await server.query('CREATE TABLE b_emptied AS SELECT 1 AS n');
    await server.query('CREATE TABLE c_locked AS SELECT 1 AS n');
    await server.query('CREATE TABLE d_slow AS SELECT 1 AS n');
    await using scene = await EvidenceScene.protect(server);
    const other = new Client({ connectionString: server.url });
    other.on('error', () => undefined);
    await other.connect();
    const before: Record<string, string> = {
      'public.b_emptied': 'TRUNCATE b_emptied',
      'public.c_locked': 'BEGIN; LOCK TABLE c_locked',
    };
    const evidence = await scene.sample({
      databases: ['postgres'],
      aggregates: new Map([['postgres.public.d_slow', ['max(pg_sleep(9)::text)']]]),
      limits: { ...USUAL_LIMITS, tableTime: 500 },
      onTable: async (_database, table) => {
        if (before[table] !== undefined) await other.query(before[table]);
      },
    });
    await other.end();
    const reasons = ofDatabase(evidence).tables.map((table) => [
      table.name,
      'unknown' in table ? table.unknown : 'counted',
    ]);
    expect(reasons).toEqual([
      ['a_first', 'counted'],
      ['b_emptied', 'rewritten'],
      ['c_locked', 'locked'],
      ['d_slow', 'time'],
    ]);
    const none = await scene.sample({ databases: ['postgres'], limits: { ...USUAL_LIMITS, totalTime: 0 } });
    expect(ofDatabase(none).tables.map((table) => 'unknown' in table && table.unknown)).toEqual(
      Array.from({ length: 4 }, () => 'time'),
    );
  });

  test('a transaction that does not end is not waited for, and nothing is left on the server', async () => {
    await using server = await startPostgres({ major, settings: { wal_level: 'logical' } });
    await server.query('CREATE TABLE t AS SELECT 1 AS n');
    await using scene = await EvidenceScene.protect(server);
    const other = new Client({ connectionString: server.url });
    other.on('error', () => undefined);
    await other.connect();
    await other.query('BEGIN; INSERT INTO t VALUES (2)');
    const evidence = await scene.sample({ databases: ['postgres'], slotPatience: 300 });
    expect(ofDatabase(evidence)).toMatchObject({ method: 'log', inProgress: [expect.any(String)] });
    expect(await leftOn(server)).toEqual([]);
    await other.query('COMMIT');
    await scene.ship();
    const { content, findings } = await scene.verify(evidence);
    expect(findings).toEqual([]);
    expect(content).toMatchObject([{ exact: 1, rows: '1', tolerance: 0 }]);

    // Cut off while the slot waits, and while a table is counted.
    await other.query('BEGIN; INSERT INTO t VALUES (3)');
    for (const aggregates of [undefined, new Map([['postgres.public.t', ['max(pg_sleep(60)::text)']]])]) {
      const stop = new AbortController();
      const cut = scene.sample({
        databases: ['postgres'],
        signal: stop.signal,
        ...(aggregates === undefined
          ? {}
          : { aggregates, onTable: () => void setImmediate(() => stop.abort()) }),
      });
      const refused = expect(cut).rejects.toMatchObject({ name: 'AbortError' });
      if (aggregates === undefined) {
        await expect
          .poll(
            () => server.query("SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'logical'"),
            {
              timeout: 20_000,
            },
          )
          .toHaveLength(1);
        stop.abort();
      } else {
        await other.query('COMMIT');
      }
      await refused;
      expect(await leftOn(server)).toEqual([]);
    }
    await other.end();
  });
});

test('an index that lacks rows is found where amcheck is at hand', async ({ skip }) => {
  const programs = await findPrograms(15);
  if (!programs.bin.startsWith('/usr/')) skip('no PostgreSQL 15 with its extensions on this machine');
  await using server = await startPostgres({ major: 15, settings: { wal_level: 'logical' } });
  await server.query("CREATE FUNCTION half(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 / 2'");
  await server.query('CREATE TABLE numbers AS SELECT n FROM generate_series(1, 1000) n');
  await server.query('CREATE INDEX halves ON numbers (half(n))');
  await using scene = await EvidenceScene.protect(server);
  const whole = await scene.sample({ databases: ['postgres'] });
  await server.query(
    "CREATE OR REPLACE FUNCTION half(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 / 3'",
  );
  const damaged = await scene.sample({ databases: ['postgres'] });
  await scene.ship();
  const good = await scene.verify(whole);
  expect(good.findings).toEqual([]);
  expect(good.structure?.indexes).toBeGreaterThan(100);
  expect(good.structure?.tables).toBeGreaterThan(50);
  const { findings } = await scene.verify(damaged);
  expect(findings).toMatchObject([
    { severity: 'error', code: 'index.damaged', subject: 'postgres: public.halves' },
  ]);
});
