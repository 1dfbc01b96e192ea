import { chmod, chown, mkdir, open, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BaseBackupResult } from '../../app/src/sources/postgres/base/base-backup.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { contentsOf, unlikeManifest } from '../scenes/base-tree.ts';
import { LOAD_SCHEMA, LOAD_SUMS, type LoadSums, startLoad } from '../scenes/postgres-load.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { JournalScene, promoted, standbyOf } from './journal-scene.ts';

const SUMMARIES = { summarize_wal: 'on' };

const TABLES = `
  CREATE TABLE steady AS SELECT n, repeat('s', 200) AS note FROM generate_series(1, 40000) n;
  CREATE TABLE updated (n int PRIMARY KEY, note text);
  INSERT INTO updated SELECT n, repeat('u', 200) FROM generate_series(1, 40000) n;
  CREATE TABLE growing AS SELECT n, repeat('g', 200) AS note FROM generate_series(1, 5000) n;
  CREATE TABLE shrinking AS SELECT n, repeat('k', 200) AS note FROM generate_series(1, 40000) n;
  CREATE TABLE dropped AS SELECT generate_series(1, 5000) AS n;
  CREATE TABLE emptied AS SELECT generate_series(1, 5000) AS n;
  CREATE TABLE rewritten AS SELECT n, repeat('r', 200) AS note FROM generate_series(1, 5000) n;
  CREATE TABLE moved TABLESPACE elsewhere AS SELECT n, repeat('m', 200) AS note FROM generate_series(1, 20000) n;
  VACUUM ANALYZE;
`;

const CHANGES = [
  "UPDATE updated SET note = 'changed' WHERE n % 1000 = 0",
  "INSERT INTO growing SELECT n, repeat('h', 200) FROM generate_series(5001, 30000) n",
  'DELETE FROM shrinking WHERE n > 7000',
  'VACUUM (TRUNCATE) shrinking',
  'DROP TABLE dropped',
  'TRUNCATE emptied',
  'INSERT INTO emptied SELECT generate_series(1, 77)',
  'DELETE FROM rewritten WHERE n % 2 = 0',
  'VACUUM FULL rewritten',
  "UPDATE moved SET note = 'changed' WHERE n = 10000",
  'CREATE TABLE added TABLESPACE elsewhere AS SELECT generate_series(1, 999) AS n',
  'CREATE DATABASE second',
];

const COUNTS = `
  SELECT (SELECT count(*) || ' ' || sum(hashtext(note)) FROM steady) AS steady,
         (SELECT count(*) || ' ' || sum(hashtext(note)) FROM updated) AS updated,
         (SELECT count(*) || ' ' || sum(hashtext(note)) FROM growing) AS growing,
         (SELECT count(*) || ' ' || sum(hashtext(note)) FROM shrinking) AS shrinking,
         (SELECT count(*) FROM emptied)::int AS emptied,
         (SELECT count(*) || ' ' || sum(n) FROM rewritten) AS rewritten,
         (SELECT count(*) || ' ' || sum(hashtext(note)) FROM moved) AS moved,
         to_regclass('dropped') AS dropped
`;

describe.each([17, 18] as const)('a base of PostgreSQL %i with summarize_wal', (major) => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres({ major, settings: { ...SUMMARIES, autovacuum: 'off' } });
    const location = path.join(server.socketDirectory, 'space');
    await mkdir(location);
    const { uid, gid } = await stat(server.dataDirectory);
    await chown(location, uid, gid);
    await server.query(`CREATE TABLESPACE elsewhere LOCATION '${location}'`);
    for (const sql of TABLES.split(';\n')) if (sql.trim() !== '') await server.query(sql);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('is made of the one before and of what has changed since, and is file by file what a full one is', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const first = await scene.backUp(repository, server.url);
    expect(first.sent).toMatchObject({
      kind: 'whole',
      because: { message: expect.stringContaining('first') },
    });
    for (const sql of CHANGES) await server.query(sql);
    const second = await scene.backUp(repository, server.url);
    expect(second.sent).toMatchObject({ kind: 'changes', since: first.snapshot.id });
    expect(second.sent.bytes).toBeLessThan(0.7 * first.sent.bytes);
    expect(second.record.builtOn).toBe(first.snapshot.id);
    const whole = await scene.backUp(repository, server.url, { whole: true });
    expect(whole.sent.kind).toBe('whole');
    expect(await relations(repository, second.snapshot.tree)).toEqual(
      await relations(repository, whole.snapshot.tree),
    );
    const { target, tablespaces } = await restored(scene, repository, second);
    expect(await unlikeManifest(target, tablespaces)).toEqual([]);
    expect(await scene.ask(repository, second.snapshot, target, COUNTS)).toEqual(await server.query(COUNTS));
  });

  test('does not bring back rows that were deleted, though its summaries do not name the page of a visibility map', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    await server.query('CREATE TABLE seen (n int PRIMARY KEY, note text)');
    await server.query("INSERT INTO seen SELECT n, repeat('u', 200) FROM generate_series(1, 40000) n");
    await server.query('VACUUM (FREEZE) seen');
    await scene.backUp(repository, server.url);
    await server.query('DELETE FROM seen WHERE n % 1000 = 0');
    const taken = await scene.backUp(repository, server.url);
    const { snapshot, sent } = taken;
    expect(sent.kind).toBe('changes');
    const { target } = await restored(scene, repository, taken);
    // Counted in the index alone, wherever the map says that all rows of a page are visible.
    const count = 'SELECT count(*)::int AS count FROM seen WHERE n > 0';
    expect(await scene.ask(repository, snapshot, target, count)).toEqual([{ count: 39_960 }]);
  });

  test('does not bring back what stood in pages that were cut off and added again', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    await server.query(
      "CREATE TABLE refilled AS SELECT n, repeat('o', 200) AS note FROM generate_series(1, 40000) n",
    );
    await server.query('VACUUM refilled');
    await scene.backUp(repository, server.url);
    await server.query('DELETE FROM refilled WHERE n > 1000');
    await server.query('VACUUM (TRUNCATE) refilled');
    const file = path.join(server.socketDirectory, `rows-${major}`);
    await server.query(`COPY (SELECT n, repeat('c', 200) FROM generate_series(1, 3300) n) TO '${file}'`);
    await server.query(`COPY refilled FROM '${file}'`);
    // COPY makes a table longer by many pages at a time, and leaves the last ones empty.
    const sizes =
      "SELECT pg_relation_size('refilled')::int / 8192 AS pages, max((ctid::text::point)[0])::int AS last FROM refilled";
    const [size] = await server.query<{ pages: number; last: number }>(sizes);
    expect(size?.pages).toBeGreaterThan((size?.last ?? 0) + 2);
    const taken = await scene.backUp(repository, server.url);
    const { snapshot, sent } = taken;
    expect(sent.kind).toBe('changes');
    const { target, tablespaces } = await restored(scene, repository, taken);
    expect(await unlikeManifest(target, tablespaces)).toEqual([]);
    const count = 'SELECT count(*)::int AS count FROM refilled';
    expect(await scene.ask(repository, snapshot, target, count)).toEqual([{ count: 4300 }]);
  });

  test('is taken each time from the last one while others write, and each comes back as of one moment', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    await server.query(LOAD_SCHEMA);
    const load = await startLoad(server.url, 2);
    await scene.backUp(repository, server.url);
    let last: Id | undefined;
    for (let nth = 0; nth < 4; nth++) {
      const before = load.acknowledged();
      await expect.poll(() => load.acknowledged()).toBeGreaterThan(before + 50);
      const taken = await scene.backUp(repository, server.url);
      const { snapshot, sent, record } = taken;
      expect(sent.kind, JSON.stringify(sent)).toBe('changes');
      if (last !== undefined) expect(record.builtOn).toBe(last);
      last = snapshot.id;
      const acknowledged = load.acknowledged();
      const { target, tablespaces } = await restored(scene, repository, taken);
      expect(await unlikeManifest(target, tablespaces)).toEqual([]);
      const [sums] = await scene.ask<LoadSums>(repository, snapshot, target, LOAD_SUMS);
      expect(sums?.accounts).toBe(sums?.history);
      expect(sums?.tellers).toBe(sums?.history);
      expect(sums?.count).toBeGreaterThan(before);
      expect(sums?.count).toBeLessThanOrEqual(acknowledged + 2);
    }
    await load.stop();
  });
});

describe('a base of a server that was promoted', () => {
  test('is built on one from before, never on one of the timeline that it has left or of another life of it', async () => {
    using scene = new PostgresScene();
    await using copies = new JournalScene();
    const repository = await scene.create();
    await using old = await startPostgres({ major: 18, settings: { ...SUMMARIES, autovacuum: 'off' } });
    await old.query('CREATE TABLE told (n int PRIMARY KEY, note text)');
    await old.query("INSERT INTO told SELECT n, 'first' FROM generate_series(1, 20000) n");
    await old.stop();
    await using heir = await standbyOf(old, copies.coldCopy(old), 18);
    await using twin = await standbyOf(old, copies.coldCopy(old), 18);
    await old.start();
    const first = await scene.backUp(repository, old.url);
    for (const standby of [heir, twin]) await replayed(standby, first.record.end.lsn);
    // It waits until both have all, so that both leave its timeline at one place.
    await old.stop();
    for (const [standby, wroteHistory] of [[heir, 1_000_000] as const, [twin, 2_000_000] as const]) {
      await standby.query('SELECT pg_promote()');
      await promoted(standby);
      await utimes(path.join(standby.dataDirectory, 'pg_wal/00000002.history'), wroteHistory, wroteHistory);
    }
    await old.start();
    await old.query("UPDATE told SET note = 'elsewhere' WHERE n > 10000");
    const elsewhere = await scene.backUp(repository, old.url);
    expect(elsewhere.sent).toMatchObject({ kind: 'changes', since: first.snapshot.id });

    await heir.query("UPDATE told SET note = 'here' WHERE n <= 100");
    // A server goes by the length of the log alone, so this one's is to be the longer.
    await heir.query(LONG_TABLE);
    const here = await scene.backUp(repository, heir.url);
    expect(here.record.end.timeline).toBe(2);
    expect(here.sent).toMatchObject({ kind: 'changes', since: first.snapshot.id });
    const { target, tablespaces } = await restored(scene, repository, here);
    expect(await unlikeManifest(target, tablespaces)).toEqual([]);
    expect(await scene.ask(repository, here.snapshot, target, NOTES)).toEqual(await heir.query(NOTES));

    await twin.query("UPDATE told SET note = 'again' WHERE n > 19000");
    for (const sql of [LONG_TABLE, 'DROP TABLE long', LONG_TABLE]) await twin.query(sql);
    const other = await scene.backUp(repository, twin.url);
    expect(other.sent).toMatchObject({
      kind: 'whole',
      because: { message: expect.stringContaining('another life') },
    });
    const there = await restored(scene, repository, other);
    expect(await scene.ask(repository, other.snapshot, there.target, NOTES)).toEqual(await twin.query(NOTES));
  });
});

describe('everything is sent, and the result says why', () => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres({ major: 18, settings: { ...SUMMARIES, autovacuum: 'off' } });
    await server.query(
      "CREATE TABLE kept AS SELECT n, repeat('x', 200) AS note FROM generate_series(1, 10000) n",
    );
    // Else the first who reads it changes every page: which rows are committed is noted there.
    await server.query('VACUUM kept');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const whole = (message: string) => ({
    kind: 'whole',
    because: { message: expect.stringContaining(message) },
  });

  test('while summarize_wal is off, and on the first time after it', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    await scene.backUp(repository, server.url);
    await server.query('ALTER SYSTEM SET summarize_wal = off');
    await server.query('SELECT pg_reload_conf()');
    await expect.poll(() => server.query('SHOW summarize_wal')).toEqual([{ summarize_wal: 'off' }]);
    const off = await scene.backUp(repository, server.url);
    expect(off.sent).toMatchObject(whole('summarize_wal is off'));
    await server.query('ALTER SYSTEM RESET summarize_wal');
    await server.query('SELECT pg_reload_conf()');
    await expect.poll(() => server.query('SHOW summarize_wal')).toEqual([{ summarize_wal: 'on' }]);
  });

  test('when the server has not kept its summaries', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    await scene.backUp(repository, server.url);
    await server.query('INSERT INTO kept VALUES (0)');
    await server.query('CHECKPOINT');
    await server.stop();
    await rm(path.join(server.dataDirectory, 'pg_wal/summaries'), { recursive: true });
    await mkdir(path.join(server.dataDirectory, 'pg_wal/summaries'));
    const { uid, gid } = await stat(server.dataDirectory);
    await chown(path.join(server.dataDirectory, 'pg_wal/summaries'), uid, gid);
    await server.start();
    await server.query('SELECT pg_switch_wal()');
    await server.query('CHECKPOINT');
    const taken = await scene.backUp(repository, server.url);
    expect(taken.sent).toMatchObject(whole('the server refused'));
    const { target } = await scene.restore(repository, taken.snapshot);
    const count = 'SELECT count(*)::int AS count FROM kept';
    expect(await scene.ask(repository, taken.snapshot, target, count)).toEqual(await server.query(count));
  });

  test('to a role that may not ask by SQL', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    await using closed = await startPostgres({
      major: 17,
      settings: SUMMARIES,
      hostBasedAuthentication: ['host replication sender all trust', 'host all sender all reject'],
    });
    await closed.query('CREATE ROLE sender LOGIN REPLICATION');
    const url = closed.url.replace('postgres@', 'sender@');
    await scene.backUp(repository, url);
    expect((await scene.backUp(repository, url)).sent).toMatchObject(whole('cannot be asked for by SQL'));
  });

  test('when a piece of the earlier base is damaged, and nothing is built on it', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const first = await scene.backUp(repository, server.url);
    const [row] = await server.query<{ file: string }>("SELECT pg_relation_filepath('kept') AS file");
    const contents = await contentsOf(await repository.loadIndex(), first.snapshot.tree);
    const [, damaged] = contents.get(`base/${row?.file}`)?.split(' ') ?? [];
    await damage(scene, repository, damaged as Id);
    await server.query("UPDATE kept SET note = 'new' WHERE n = 1");
    const { sent } = await scene.backUp(repository, server.url);
    expect(sent).toMatchObject(whole('cannot be built on'));
  });
});

const NOTES = 'SELECT note, count(*)::int FROM told GROUP BY note ORDER BY note';

const LONG_TABLE = "CREATE TABLE long AS SELECT n, repeat('l', 500) FROM generate_series(1, 20000) n";

async function replayed(standby: RunningPostgres, lsn: string): Promise<void> {
  const there = 'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS there';
  await expect.poll(() => standby.query(there, [lsn]), { timeout: 30_000 }).toEqual([{ there: true }]);
}

async function damage(scene: PostgresScene, repository: Repository, id: Id): Promise<void> {
  const place = (await repository.loadIndex()).index.lookup('data', id);
  const pack = place?.pack ?? '';
  const file = path.join(scene.repositoryPath, 'data', pack.slice(0, 2), pack);
  await chmod(file, 0o600);
  const handle = await open(file, 'r+');
  await handle.write(Buffer.from('damage'), 0, 6, (place?.offset ?? 0) + 20);
  await handle.close();
}

/** Tablespaces beside the data directory, where the user that the server runs as may look. */
async function restored(
  scene: PostgresScene,
  repository: Repository,
  { snapshot, record }: Pick<BaseBackupResult, 'snapshot' | 'record'>,
) {
  const place = (oid: number) => path.join(scene.base, `space-${oid}-of-${snapshot.id}`);
  const tablespaces = new Map(record.tablespaces.map(({ oid }) => [oid, place(oid)]));
  return await scene.restore(repository, snapshot, { tablespaces });
}

async function relations(repository: Repository, tree: Id) {
  const contents = await contentsOf(await repository.loadIndex(), tree);
  return new Map([...contents].filter(([file]) => /^base\/(base|global|pg_tblspc)\/.*\d/.test(file)));
}
