import { chownSync, mkdirSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { findPrograms } from '../../app/src/sources/postgres/restore/programs.ts';
import { recoverMoment } from '../../app/src/sources/postgres/restore/recover-moment.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { ProtectedServer } from '../scenes/protected-server.ts';
import { startPostgres } from '../servers/postgres.ts';
import { flushLsn } from './journal-scene.ts';

const COUNT = 'SELECT count(*)::int AS count FROM orders';
const MIB = 2 ** 20;

test('over a data directory only what differs is written, what is too much goes, and tablespaces stay', async () => {
  await using server = await startPostgres({ major: 18 });
  await using shop = await ProtectedServer.over(server);
  const space = path.join(shop.scene.base, 'space');
  mkdirSync(space, { mode: 0o700 });
  const { uid, gid } = statSync(server.dataDirectory);
  chownSync(space, uid, gid);
  await server.query(`CREATE TABLESPACE fast LOCATION '${space}'`);
  await server.query(
    "CREATE TABLE ballast AS SELECT n, md5(n::text) || repeat('x', 500) AS text FROM generate_series(1, 60000) n",
  );
  await server.query('CREATE TABLE orders (number int) TABLESPACE fast');
  await server.query('INSERT INTO orders SELECT generate_series(1, 10)');
  await shop.base();
  await shop.journal();
  await server.query('INSERT INTO orders SELECT generate_series(1, 10)');
  const moment = await flushLsn(server);
  await server.query('DROP TABLE orders');
  await server.query('CREATE TABLE later AS SELECT 1 AS one');
  await shop.ship();

  const plan = await shop.plan({ target: { kind: 'lsn', lsn: moment } });
  const { dataDirectory: directory } = server;
  const strange = path.join(shop.scene.base, 'strange');
  mkdirSync(strange);
  writeFileSync(path.join(strange, 'letter'), '');
  const before = readdirSync(shop.scene.base);
  for (const [target, code] of [
    [directory, 'target.unsafe'],
    [strange, 'target.not-empty'],
  ] as const) {
    await expect(shop.restore(plan, { directory: target, delta: true })).rejects.toMatchObject({ code });
  }
  expect(readdirSync(shop.scene.base)).toEqual(before);
  await server.stop();
  await expect(shop.restore(plan, { directory })).rejects.toMatchObject({ code: 'target.not-empty' });

  const restored = await shop.restore(plan, { directory, delta: true });
  expect(restored.deleted).toBeGreaterThan(0);
  const whole = (await shop.restore(plan)).bytes;
  expect(whole.base).toBeGreaterThan(60 * MIB);
  // Its WAL, and a few pages.
  expect(restored.bytes.base).toBeLessThan(whole.base / 2);
  expect(restored.tablespaces.map((place) => place.directory)).toEqual([space]);
  const programs = await findPrograms(18);
  const recovered = await recoverMoment(restored, { programs, clock: systemClock });
  expect(recovered).toMatchObject({ state: 'promoted', lastCommit: expect.any(Number) });
  expect(recovered.lsn).toBeGreaterThanOrEqual(moment);
  // Nothing of ours is in force any more.
  expect(readdirSync(path.dirname(directory))).not.toContain('data.wal');
  const sql = `${COUNT} UNION ALL SELECT count(*)::int FROM pg_settings WHERE name = 'restore_command' AND setting <> ''`;
  expect(await shop.ask(plan, directory, sql)).toEqual([{ count: 20 }, { count: 0 }]);
  const [link = ''] = readdirSync(path.join(directory, 'pg_tblspc'));
  expect(readlinkSync(path.join(directory, 'pg_tblspc', link))).toBe(space);
});

test('of another server nothing is written over, unless that is said', async () => {
  await using server = await startPostgres({ major: 16 });
  await using other = await startPostgres({ major: 16 });
  await using shop = await ProtectedServer.over(server);
  await server.query('CREATE TABLE orders AS SELECT 1 AS number');
  await shop.base();
  await other.stop();
  const plan = await shop.plan({ target: { kind: 'latest' } });
  const { dataDirectory: directory } = other;
  await expect(shop.restore(plan, { directory, delta: true })).rejects.toMatchObject({
    code: 'target.unsafe',
  });
  await shop.restore(plan, { directory, delta: true, otherSystem: true });
  expect(await shop.ask(plan, directory, COUNT)).toEqual([{ count: 1 }]);
});

test('a server pauses at the moment, again after it was stopped, and belongs to whom it should', async () => {
  await using server = await startPostgres({ major: 14 });
  await using shop = await ProtectedServer.over(server);
  await server.query('CREATE TABLE orders AS SELECT generate_series(1, 3) AS number');
  await shop.base();
  await shop.journal();
  await server.query('INSERT INTO orders SELECT generate_series(1, 4)');
  const moment = await flushLsn(server);
  await server.query('TRUNCATE orders');
  await shop.ship();
  const plan = await shop.plan({ target: { kind: 'lsn', lsn: moment }, inclusive: false });
  const owner = process.getuid?.() === 0 ? { owner: { uid: 65_534, gid: 65_534 } } : {};
  const restored = await shop.restore(plan, { action: 'pause', ...owner });
  const programs = await findPrograms(14);
  for (let start = 0; start < 2; start++) {
    expect(await recoverMoment(restored, { programs, clock: systemClock })).toMatchObject({
      state: 'paused',
    });
  }
  expect(await shop.ask(plan, restored.directory, COUNT)).toEqual([{ count: 7 }]);
  const uids = [restored.directory, restored.walDirectory].flatMap((place) =>
    readdirSync(place, { recursive: true }).map((name) => statSync(path.join(place, String(name))).uid),
  );
  expect(new Set(uids)).toEqual(new Set([owner.owner?.uid ?? process.getuid?.()]));
});
