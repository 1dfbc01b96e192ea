import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PASSWORD } from '../scenes/backup-scene.ts';
import { ProtectedServer } from '../scenes/protected-server.ts';
import { type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { commandLine } from '../stories/command-line.ts';
import { contentOf } from './table-scene.ts';

const holdfast = fileURLToPath(new URL('../../holdfast', import.meta.url));

/** The server's own clock: a moment that comes back must be one that it knows. */
async function momentOf(server: RunningPostgres): Promise<string> {
  const [row] = await server.query<{ now: string }>(
    `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now`,
  );
  return row?.now ?? '';
}

test('the command brings a dropped table back, and rows that were spoilt, and leaves nothing lying about', async () => {
  await using server = await startPostgres({ major: 17 });
  await using guard = await ProtectedServer.over(server);
  await server.query(`
    CREATE SCHEMA shop; CREATE TABLE shop.orders (id serial PRIMARY KEY, note text NOT NULL);
    CREATE TABLE shop.items (id int PRIMARY KEY, "order" int REFERENCES shop.orders);
    INSERT INTO shop.orders (note) SELECT 'before the base ' || n FROM generate_series(1, 500) AS n`);
  await guard.base();
  await guard.journal();
  await server.query(`
    INSERT INTO shop.orders (note) SELECT 'in the journal ' || n FROM generate_series(1, 500) AS n;
    INSERT INTO shop.items SELECT n, n FROM generate_series(1, 100) AS n`);
  const moment = await momentOf(server);
  const wanted = await contentOf(server, 'shop.orders');
  await server.query('DROP TABLE shop.orders CASCADE');
  await server.query('INSERT INTO shop.items VALUES (1000, 1000)');
  await guard.ship();

  const environment = {
    HOLDFAST_PASSWORD: PASSWORD,
    HOLDFAST_REPOSITORY: guard.scene.repositoryPath,
    TMPDIR: guard.scene.base,
  };
  using person = commandLine(environment);
  chmodSync(person.directory, 0o755);
  const places = () => readdirSync(guard.scene.base).filter((name) => name.startsWith('holdfast-'));
  const programs = ['holdfast-0', `holdfast-${process.getuid?.()}`];
  const table = ['postgres', 'table', 'shop.orders', '--to', moment, '--url', server.url];

  const looked = await person.run([...table, '--dry-run', '--json']);
  expect(looked.exitCode, looked.stderr).toBe(0);
  expect(looked.lines().filter(({ type }) => type !== 'status')).toMatchObject([
    { type: 'plan', tables: [{ from: 'shop.orders', to: 'shop.orders', action: 'create', rows: 1000 }] },
  ]);
  await expect(server.query('SELECT FROM shop.orders')).rejects.toThrow('does not exist');

  const brought = await person.run(table);
  expect(brought.exitCode, brought.stderr).toBe(0);
  expect(brought.stdout).toMatch(/make +shop\.orders: 1,000 rows/);
  expect(brought.stdout).toMatch(/✔ shop\.orders: 1,000 rows back and counted there/);
  expect(await contentOf(server, 'shop.orders')).toBe(wanted);
  // The key that pointed to it is back too.
  await expect(server.query('INSERT INTO shop.items VALUES (1001, 5000)')).rejects.toThrow(
    'items_order_fkey',
  );

  await server.query("UPDATE shop.orders SET note = 'spoilt'");
  const asked = await person.run([...table, '--replace']);
  expect(asked.exitCode).toBe(2);
  expect(asked.stdout).toMatch(/REPLACE +shop\.orders: the 1,000 rows of now by the 1,000 rows/);
  const token = /--consent ([0-9a-f]+)/.exec(asked.stderr)?.[1] ?? 'none';
  expect(await contentOf(server, 'shop.orders')).not.toBe(wanted);
  const agreed = await person.run([...table, '--replace', '--consent', token, '--json']);
  expect(agreed.exitCode, agreed.stdout + agreed.stderr).toBe(0);
  expect(agreed.lines().at(-1)).toMatchObject({
    type: 'summary',
    tables: [{ action: 'replace', counted: 1000 }],
  });
  expect(await contentOf(server, 'shop.orders')).toBe(wanted);

  expect(places().filter((name) => !programs.includes(name))).toEqual([]);

  // Given up while the database of then is being built.
  await server.query('DROP TABLE shop.orders CASCADE');
  const child = spawn(holdfast, [...table, '--json'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.once('data', () => child.kill('SIGINT'));
  const [exitCode] = await once(child, 'close');
  expect(exitCode).toBe(130);
  await expect(server.query('SELECT FROM shop.orders')).rejects.toThrow('does not exist');
  expect(places().filter((name) => !programs.includes(name))).toEqual([]);
});
