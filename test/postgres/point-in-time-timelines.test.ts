import { expect, test } from 'vitest';
import { ProtectedServer } from '../scenes/protected-server.ts';
import { startPostgres } from '../servers/postgres.ts';
import { flushLsn, promoted } from './journal-scene.ts';

const COUNT = 'SELECT count(*)::int AS count FROM orders';
const sell = (count: number) => `INSERT INTO orders SELECT generate_series(1, ${count})`;

test('the history that a server goes on with is restored, and on demand the one that was left', async () => {
  await using server = await startPostgres({ major: 17 });
  await using shop = await ProtectedServer.over(server);
  await server.query('CREATE TABLE orders (number int)');
  await shop.base();
  await shop.journal();
  await server.query(sell(10));
  const split = await flushLsn(server);
  await server.query(sell(10));
  await shop.ship();
  await server.kill();

  // Somebody goes back to ten orders, and the shop goes on from there.
  const back = await shop.plan({ target: { kind: 'lsn', lsn: split }, inclusive: false });
  const { directory: dataDirectory } = await shop.restore(back);
  await using next = await startPostgres({ major: 17, dataDirectory });
  await promoted(next);
  await shop.journal(next);
  await next.query(sell(5));
  await shop.ship();
  await next.kill();

  const latest = await shop.at<{ count: number }>({ target: { kind: 'latest' } }, COUNT);
  expect([latest.plan.timeline, latest.rows]).toEqual([2, [{ count: 15 }]]);
  const left = await shop.at({ target: { kind: 'latest' }, timeline: 1 }, COUNT);
  expect(left.rows).toEqual([{ count: 20 }]);
  // A third history begins, not a second second one.
  const [name] = await shop.ask<{ name: string }>(
    left.plan,
    left.directory,
    'SELECT pg_walfile_name(pg_current_wal_lsn()) AS name',
  );
  expect(name?.name).toMatch(/^00000003/);
  await expect(shop.plan({ target: { kind: 'latest' }, timeline: 7 })).rejects.toMatchObject({
    code: 'point.unreachable',
  });
});

test('a gap of the journal says so with the moments next to it', async () => {
  await using server = await startPostgres({ major: 15 });
  await using shop = await ProtectedServer.over(server);
  await server.query('CREATE TABLE orders (number int)');
  await shop.base();
  await shop.journal();
  await server.query(sell(10));
  await shop.ship();
  await shop.stopJournal();
  const before = await flushLsn(server);
  // Somebody drops our slot, and the WAL goes.
  await server.query("SELECT pg_drop_replication_slot('holdfast')");
  for (let segment = 0; segment < 3; segment++) {
    await server.query(sell(10));
    await server.query('SELECT pg_switch_wal()');
    await server.query('CHECKPOINT');
  }
  const inside = await flushLsn(server);
  await server.query(sell(10));
  await server.query('SELECT pg_switch_wal()');
  await server.query('CHECKPOINT');
  await shop.journal();
  const { snapshot } = await shop.base();
  await server.query(sell(10));
  await shop.ship();

  const [first] = (await shop.at<{ count: number }>({ target: { kind: 'lsn', lsn: before } }, COUNT)).rows;
  expect(first).toEqual({ count: 10 });
  await expect(shop.plan({ target: { kind: 'lsn', lsn: inside } })).rejects.toMatchObject({
    code: 'point.unreachable',
    hint: expect.stringMatching(/up to .* before it, and from .* on after it/),
  });
  const { plan, rows } = await shop.at({ target: { kind: 'latest' } }, COUNT);
  expect([plan.base.snapshot.id, rows]).toEqual([snapshot.id, [{ count: 60 }]]);
});
