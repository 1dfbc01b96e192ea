import { describe, expect, test } from 'vitest';
import { parseLsn } from '../../app/src/sources/postgres/wal/lsn.ts';
import { ProtectedServer } from '../scenes/protected-server.ts';
import { type Major, type RunningPostgres, startPostgres } from '../servers/postgres.ts';

const COUNT = 'SELECT count(*)::int AS count FROM orders';

interface Told {
  readonly lsn: string;
  readonly at: string;
}

/** Where the server is, and what time it has. */
async function now(server: RunningPostgres): Promise<{ lsn: bigint; instant: Temporal.Instant }> {
  const [row] = await server.query<Told>(
    'SELECT pg_current_wal_insert_lsn()::text AS lsn, clock_timestamp()::text AS at',
  );
  return {
    lsn: parseLsn(row?.lsn ?? ''),
    instant: Temporal.Instant.from((row?.at ?? '').replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')),
  };
}

async function sell(server: RunningPostgres, count: number): Promise<void> {
  await server.query(`INSERT INTO orders (note) SELECT 'x' FROM generate_series(1, ${count})`);
}

describe.each<Major>([14, 16, 18])('of PostgreSQL %i', (major) => {
  // Ten restores, each with a server of its own.
  test('every kind of moment comes back from base and journal', { timeout: 300_000 }, async () => {
    await using server = await startPostgres({ major });
    await using shop = await ProtectedServer.over(server);
    await server.query('CREATE TABLE orders (number serial, note text)');
    await sell(server, 10);
    const beforeAll = await now(server);
    const { snapshot: first } = await shop.base();
    await shop.journal();
    await sell(server, 10);
    const at20 = await now(server);
    await server.query("SELECT pg_create_restore_point('twenty')");
    const { snapshot: second } = await shop.base();
    const [transaction] = await server.query<{ xid: string }>(
      "WITH sold AS (INSERT INTO orders (note) SELECT 'x' FROM generate_series(1, 10)) SELECT txid_current()::text AS xid",
    );
    const at30 = await now(server);
    await sell(server, 10);
    const end = await now(server);
    await shop.ship();
    await server.kill();

    const xid = BigInt(transaction?.xid ?? '');
    const cases = [
      [{ kind: 'latest' }, true, 40, second.id],
      [{ kind: 'immediate' }, true, 20, second.id],
      [{ kind: 'time', instant: at20.instant }, true, 20, first.id],
      [{ kind: 'time', instant: at30.instant }, true, 30, second.id],
      [{ kind: 'lsn', lsn: at20.lsn }, false, 20, first.id],
      [{ kind: 'lsn', lsn: at30.lsn }, false, 30, second.id],
      [{ kind: 'lsn', lsn: end.lsn }, true, 40, second.id],
      [{ kind: 'xid', xid }, true, 30, second.id],
      [{ kind: 'xid', xid }, false, 20, second.id],
      [{ kind: 'name', name: 'twenty' }, true, 20, first.id],
    ] as const;
    for (const [target, inclusive, count, base] of cases) {
      const { plan, rows } = await shop.at({ target, inclusive }, COUNT);
      expect([target.kind, plan.base.snapshot.id, rows]).toEqual([target.kind, base, [{ count }]]);
    }
    // Nothing was committed after it, which a server would die of: it is the end.
    expect(await shop.plan({ target: { kind: 'lsn', lsn: end.lsn } })).toMatchObject({
      target: { kind: 'latest' },
    });
    const { lsn, instant } = beforeAll;
    for (const target of [
      { kind: 'lsn', lsn },
      { kind: 'time', instant },
      { kind: 'time', instant: instant.add({ hours: 1 }) },
      { kind: 'xid', xid: 4_000_000n },
      { kind: 'name', name: 'never' },
    ] as const) {
      await expect(shop.plan({ target })).rejects.toMatchObject({ code: 'point.unreachable' });
    }
  });
});

test('a quiet time after the last transaction is the end, and of several servers one has to be named', async () => {
  await using server = await startPostgres({ major: 15 });
  await using shop = await ProtectedServer.over(server);
  await server.query('CREATE TABLE orders (number serial, note text)');
  const { record } = await shop.base();
  await shop.journal();
  await sell(server, 10);
  const quiet = await now(server);
  // Something is written, by which the journal knows that the time has passed, but no transaction ends.
  await server.query('CHECKPOINT');
  await shop.ship();
  const target = { kind: 'time', instant: quiet.instant } as const;
  const { plan, rows } = await shop.at({ target }, COUNT);
  expect(rows).toEqual([{ count: 10 }]);
  expect(plan).toMatchObject({
    asked: target,
    target: { kind: 'latest' },
    notes: [expect.stringMatching(/later/)],
  });

  await using other = await startPostgres({ major: 16 });
  await shop.scene.backUp(shop.repository, other.url);
  await expect(shop.plan({ target: { kind: 'latest' } })).rejects.toMatchObject({
    code: 'snapshot.ambiguous',
    hint: expect.stringContaining(record.systemId),
  });
  expect((await shop.plan({ target, systemId: record.systemId })).systemId).toBe(record.systemId);
});
