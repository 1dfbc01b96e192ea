import { expect, test } from 'vitest';
import { ProtectedServer } from '../scenes/protected-server.ts';
import { startPostgres } from '../servers/postgres.ts';
import { flushLsn, Shop } from './journal-scene.ts';

test('while a shop sells without pause, no order that was acknowledged before a moment is missing at it', async () => {
  await using server = await startPostgres({ major: 17 });
  await using shop = await ProtectedServer.over(server);
  await using sales = await Shop.open(server.url, 200);
  await shop.base();
  await shop.journal();
  for (let round = 1; round <= 5; round++) {
    await sales.sold(sales.acknowledged + 50);
    const least = sales.acknowledged;
    const moment = await flushLsn(server);
    // One more may be durable before it is acknowledged.
    const most = sales.acknowledged + 1;
    await sales.sold(most + 50);
    await shop.ship();
    if (round === 3) await shop.base();
    const sql = 'SELECT count(*)::int AS count, max(number) AS last FROM orders';
    const { rows } = await shop.at<{ count: number; last: number }>(
      { target: { kind: 'lsn', lsn: moment }, inclusive: false },
      sql,
    );
    expect(rows[0]?.count).toBe(rows[0]?.last);
    expect(rows[0]?.count).toBeGreaterThanOrEqual(least);
    expect(rows[0]?.count).toBeLessThanOrEqual(most);
  }
});
