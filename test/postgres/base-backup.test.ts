import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { type Major, type RunningPostgres, startPostgres } from '../servers/postgres.ts';

describe.each<Major>([14, 16, 18])('a base backup of PostgreSQL %i', (major) => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres({ major });
    await server.query(
      "CREATE TABLE orders AS SELECT n, repeat('x', 200) AS note FROM generate_series(1, 50000) n",
    );
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('is restored, started, and has every row', async () => {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const { snapshot, record } = await scene.backUp(repository, server.url);
    expect(record.major).toBe(major);
    const { target } = await scene.restore(repository, snapshot);
    const rows = await scene.ask(repository, snapshot, target, 'SELECT count(*)::int AS count FROM orders');
    expect(rows).toEqual([{ count: 50_000 }]);
  });
});
