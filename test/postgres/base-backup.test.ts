import { chown, mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOAD_SCHEMA, LOAD_SUMS, type LoadSums, startLoad } from '../scenes/postgres-load.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { majors, type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { leavesNothingOnServer } from './base-leftovers.ts';

describe.each(majors)('a base backup of PostgreSQL %i', (major) => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres({ major });
    await server.query(LOAD_SCHEMA);
    await server.query('CREATE ROLE backup LOGIN REPLICATION');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('taken by a plain replication role while others write is restored as of one moment, with all that was acknowledged before', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const load = await startLoad(server.url);
    const before = load.acknowledged();
    const { snapshot, record } = await scene.backUp(repository, server.url.replace('postgres@', 'backup@'));
    await load.stop();
    expect(load.acknowledged()).toBeGreaterThan(before);
    expect(record).toMatchObject({ major, role: 'backup', settings: { data_checksums: 'on' } });
    expect(record.pagesVerified).toBeGreaterThan(100);
    const { target } = await scene.restore(repository, snapshot);
    const [sums] = await scene.ask<LoadSums>(repository, snapshot, target, LOAD_SUMS);
    expect(sums?.accounts).toBe(sums?.history);
    expect(sums?.tellers).toBe(sums?.history);
    expect(sums?.count).toBeGreaterThanOrEqual(before);
    await leavesNothingOnServer(server);
  });
});

describe('a base backup', () => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres({ major: 18 });
    await server.query(
      "CREATE TABLE orders AS SELECT n, repeat('x', 200) AS note FROM generate_series(1, 50000) n",
    );
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('brings tablespaces back to where one says, and leaves those in use alone', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const location = path.join(server.socketDirectory, 'space');
    await mkdir(location);
    await giveToServer(location, server);
    await server.query(`CREATE TABLESPACE elsewhere LOCATION '${location}'`);
    await server.query('CREATE TABLE moved TABLESPACE elsewhere AS SELECT generate_series(1, 1234) AS n');
    const { snapshot, record } = await scene.backUp(repository, server.url);
    const oid = record.tablespaces.find((space) => space.location === location)?.oid ?? 0;
    const place = path.join(scene.base, 'mapped');
    const { target } = await scene.restore(repository, snapshot, { tablespaces: new Map([[oid, place]]) });
    const rows = await scene.ask(
      repository,
      snapshot,
      target,
      "SELECT count(*)::int AS count, (SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'elsewhere') AS place FROM moved",
    );
    expect(rows).toEqual([{ count: 1234, place }]);
    expect((await readdir(place)).length).toBe(1);
    await server.query('DROP TABLE moved');
    await server.query('DROP TABLESPACE elsewhere');
  });

  test('leaves out what an unlogged table holds, as the server does after a crash', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    await server.query('CREATE UNLOGGED TABLE fleeting AS SELECT generate_series(1, 10) AS n');
    const { snapshot, findings } = await scene.backUp(repository, server.url);
    expect(findings).toMatchObject([
      { severity: 'note', message: 'unlogged tables of postgres come back empty: fleeting' },
    ]);
    const { target } = await scene.restore(repository, snapshot);
    const counts =
      'SELECT (SELECT count(*) FROM fleeting)::int AS fleeting, (SELECT count(*) FROM orders)::int AS orders';
    expect(await scene.ask(repository, snapshot, target, counts)).toEqual([{ fleeting: 0, orders: 50_000 }]);
  });

  test('of a server that did nothing since adds next to nothing', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const first = await scene.backUp(repository, server.url);
    const second = await scene.backUp(repository, server.url);
    const added = second.snapshot.summary?.dataAddedPacked ?? Number.NaN;
    expect(added).toBeLessThan(0.05 * (first.snapshot.summary?.dataAddedPacked ?? 0));
  });

  test('whose server dies halfway leaves no snapshot', async () => {
    using scene = new PostgresScene();
    await using dying = await startPostgres({ major: 16 });
    const repository = await scene.create();
    const backup = scene.backUp(repository, dying.url, {
      maxRate: 1024,
      onStart: ({ progress }) =>
        void expect
          .poll(() => progress().bytes)
          .toBeGreaterThan(0)
          .then(() => dying.kill()),
    });
    await expect(backup).rejects.toMatchObject({ code: 'source.unreachable' });
    expect(await repository.loadSnapshots()).toEqual([]);
  });

  test('records what a machine must have to start it: collations and extensions of every database', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const { record } = await scene.backUp(repository, server.url);
    const database = record.databases?.find(({ name }) => name === 'postgres');
    expect(database).toMatchObject({ provider: 'libc', extensions: [{ name: 'plpgsql', version: '1.0' }] });
    expect(database?.collations?.map(({ provider }) => provider)).toContain('icu');
    expect(record.databases?.map(({ name }) => name)).toEqual(['postgres', 'template1']);
    expect(record).toMatchObject({ standby: false, resourceManagers: [], configuration: [] });
    expect(JSON.stringify(record)).not.toContain('password');
  });

  test('by a role that may only replicate is taken all the same', async () => {
    using scene = new PostgresScene();
    await using closed = await startPostgres({
      major: 16,
      hostBasedAuthentication: ['host replication sender all trust', 'host all sender all reject'],
    });
    await closed.query('CREATE ROLE sender LOGIN REPLICATION');
    const repository = await scene.create();
    const { record } = await scene.backUp(repository, closed.url.replace('postgres@', 'sender@'));
    expect(record).toMatchObject({ role: 'sender', major: 16 });
    expect(record.databases).toBeUndefined();
  });

  test('into a directory that holds something is refused, and nothing is touched', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const { snapshot } = await scene.backUp(repository, server.url);
    const { target } = await scene.restore(repository, snapshot);
    const before = (await stat(path.join(target, 'global/pg_control'))).mtimeMs;
    await expect(scene.restore(repository, snapshot, { target })).rejects.toMatchObject({
      code: 'target.not-empty',
    });
    expect((await stat(path.join(target, 'global/pg_control'))).mtimeMs).toBe(before);
  });
});

/** The test may be root; the server never is. */
async function giveToServer(directory: string, server: RunningPostgres): Promise<void> {
  const { uid, gid } = await stat(server.dataDirectory);
  await chown(directory, uid, gid);
}
