import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { startPostgres } from '../servers/postgres.ts';

const execute = promisify(execFile);
const MIB = 2 ** 20;
/** One fills a page, so this is a little more than the gigabyte at which a table goes on in a second file. */
const ROWS = 134_000;

test('a table larger than a gigabyte comes back whole, and passing it on takes no memory in proportion to it', async () => {
  await using server = await startPostgres({
    major: 18,
    settings: { max_wal_size: '4GB', wal_level: 'replica' },
  });
  await server.query('CREATE TABLE large (n int, note text)');
  await server.query('ALTER TABLE large ALTER note SET STORAGE PLAIN');
  await server.query(
    `INSERT INTO large SELECT n, rpad(n::text, 8000, n::text) FROM generate_series(1, ${ROWS}) n`,
  );
  const [place] = await server.query<{ file: string }>("SELECT pg_relation_filepath('large') AS file");
  const second = `${place?.file}.1`;
  expect((await stat(path.join(server.dataDirectory, second))).size).toBeGreaterThan(0);

  using scene = new PostgresScene();
  const repository = await scene.create();
  const script = new URL('take-base.ts', import.meta.url).pathname;
  const { stdout } = await execute(process.execPath, [
    '--conditions=source',
    '--disable-warning=ExperimentalWarning',
    script,
    server.url,
    scene.repositoryPath,
  ]);
  const { pages, peak } = JSON.parse(stdout) as { pages: number; peak: number };
  expect(pages).toBeGreaterThan(ROWS);
  // Measured: 450 to 475 MiB from 300 MB of data on, with two threads.
  expect(peak, `${Math.round(peak / MIB)} MiB at most`).toBeLessThan(640 * MIB);

  const [snapshot] = await repository.loadSnapshots();
  if (snapshot === undefined) throw new Error('the process that took a base left no snapshot');
  const sums = 'SELECT count(*)::int AS count, sum(hashtext(note))::text AS hash FROM large';
  const expected = await server.query(sums);
  expect(expected).toMatchObject([{ count: ROWS }]);
  await server.stop();
  const { target } = await scene.restore(repository, snapshot);
  expect(await scene.ask(repository, snapshot, target, sums)).toEqual(expected);
}, 300_000);
