import { chown, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BaseBackupResult } from '../../app/src/sources/postgres/base/base-backup.ts';
import type { Id } from '../../engine/src/kernel/id.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { contentsOf, unlikeManifest } from '../scenes/base-tree.ts';
import { LOAD_SCHEMA, LOAD_SUMS, type LoadSums, startLoad } from '../scenes/postgres-load.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { type RunningPostgres, startPostgres } from '../servers/postgres.ts';

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
