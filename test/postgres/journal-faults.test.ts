import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Major, startPostgres } from '../servers/postgres.ts';
import { differingSegments, JournalScene, makeWal, promoted, Receiver, standbyOf } from './journal-scene.ts';
import { killReceiver, ordersOf as orders } from './killed-receiver.ts';

const MIB = 2 ** 20;
const MAJOR: Major = 16;

test('a receiver killed at random moments under load loses nothing, nor does the source’s death', async () => {
  const { wrong, acknowledged } = await killReceiver(MAJOR, { kills: 5, random: Math.random });
  expect(wrong).toEqual([]);
  expect(acknowledged).toBeGreaterThan(100);
});

test('of two synchronous receivers either may be away: commits go on, and the other has them all', async () => {
  await using server = await startPostgres({ major: MAJOR });
  await using scene = new JournalScene();
  await server.query('CREATE TABLE orders (number int PRIMARY KEY, note text)');
  await server.stop();
  const base = scene.coldCopy(server);
  await server.start();
  const spools = [`${scene.spool}-a`, `${scene.spool}-b`] as const;
  await using staying = await Receiver.start(server.url, spools[1], { name: 'holdfast_b' });
  {
    await using leaving = await Receiver.start(server.url, spools[0], { name: 'holdfast_a' });
    await server.query("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (holdfast_a, holdfast_b)'");
    await server.query('SELECT pg_reload_conf()');
    await server.query('INSERT INTO orders SELECT generate_series(1, 100)');
    await Promise.all([leaving.caughtUp(server), staying.caughtUp(server)]);
  }
  // Answered, although one of the two is gone.
  await server.query('INSERT INTO orders SELECT generate_series(101, 200)');
  await server.kill();
  await staying[Symbol.asyncDispose]();
  await using restored = await scene.recover(MAJOR, base, spools[1]);
  expect(await orders(restored)).toEqual({ count: 200, last: 200 });
});

test('a standby that takes over is followed to its new timeline, and both lead to one recovery', async () => {
  const settings = { wal_keep_size: '1GB' };
  await using primary = await startPostgres({ major: MAJOR, settings });
  await using scene = new JournalScene();
  await primary.query('CREATE TABLE orders (number int PRIMARY KEY, note text)');
  await primary.stop();
  const base = scene.coldCopy(primary);
  await using standby = await standbyOf(primary, scene.coldCopy(primary), MAJOR);
  await primary.start();
  const both = `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres`;
  {
    await using receiver = await Receiver.start(both, scene.spool);
    await makeWal(primary, 20 * MIB);
    await primary.query('INSERT INTO orders SELECT generate_series(1, 100)');
    await receiver.caughtUp(primary);
    await expect
      .poll(() => standby.query('SELECT count(*)::int AS count FROM orders'), { timeout: 30_000 })
      .toEqual([{ count: 100 }]);
    await primary.kill();
    await standby.query('SELECT pg_promote()');
    await promoted(standby);
    await standby.query('INSERT INTO orders SELECT generate_series(101, 200)');
    await receiver.caughtUp(standby);
    expect(receiver.of('timeline')).toMatchObject([{ from: 1, to: 2 }]);
    expect(receiver.of('gap')).toEqual([]);
    expect(receiver.of('file').map(({ name }) => name)).toContain('00000002.history');
  }
  await using restored = await scene.recover(MAJOR, base, scene.spool);
  expect(await orders(restored)).toEqual({ count: 200, last: 200 });
});

test('a full disk stops the stream before anything is promised; with room it goes on by itself', async ({
  skip,
}) => {
  if (process.getuid?.() !== 0) skip('a file system of our own needs root');
  await using server = await startPostgres({ major: MAJOR, settings: { wal_keep_size: '1GB' } });
  await using scene = new JournalScene();
  mkdirSync(scene.spool);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', scene.spool], { stdio: 'pipe' });
  } catch {
    skip('mounting is not permitted here');
  }
  try {
    await using receiver = await Receiver.start(server.url, scene.spool, { lowSpace: 30 * MIB });
    await makeWal(server, 60 * MIB);
    await receiver.until(() => receiver.of('interrupted').length > 0);
    expect(receiver.of('interrupted')[0]?.failure.code).toBe('spool.full');
    expect(receiver.of('finding')[0]?.finding.code).toBe('journal.spool-low');
    expect(receiver.of('gap')).toEqual([]);
    expect(differingSegments(scene.spool, server)).toEqual([]);
    // The server is none the worse for it.
    await server.query('CREATE TABLE meanwhile AS SELECT 1 AS one');
    execFileSync('mount', ['-o', 'remount,size=400m', scene.spool]);
    await receiver.caughtUp(server);
    expect(differingSegments(scene.spool, server)).toEqual([]);
  } finally {
    execFileSync('umount', ['--lazy', scene.spool]);
  }
});
