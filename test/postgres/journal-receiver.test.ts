import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatLsn } from '../../app/src/sources/postgres/wal/lsn.ts';
import { type Major, type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { differingSegments, flushLsn, JournalScene, makeWal, Receiver, SLOT } from './journal-scene.ts';

const MIB = 2 ** 20;
const PATIENTLY = { timeout: 30_000 };

/** Keeps its WAL, so that it can be compared. */
const start = (major: Major, settings: Record<string, string> = {}): Promise<RunningPostgres> =>
  startPostgres({ major, settings: { wal_keep_size: '4GB', max_wal_size: '4GB', ...settings } });

describe.each<Major>([14, 16, 18])('the journal of PostgreSQL %i', (major) => {
  test('is byte for byte what the server wrote, and acknowledged when it is durable', async () => {
    await using server = await start(major);
    await using scene = new JournalScene();
    await using receiver = await Receiver.start(server.url, scene.spool);
    await makeWal(server, 40 * MIB);
    const goal = await receiver.caughtUp(server);
    expect(receiver.of('interrupted')).toEqual([]);
    expect(receiver.of('file').length).toBeGreaterThanOrEqual(2);
    expect(differingSegments(scene.spool, server)).toEqual([]);
    for (const { name } of receiver.of('file')) expect(statSync(join(scene.spool, name)).size).toBe(16 * MIB);
    const acknowledged = () =>
      server.query<{ lsn: string }>(
        'SELECT flush_lsn::text AS lsn FROM pg_stat_replication WHERE flush_lsn >= $1::pg_lsn',
        [formatLsn(goal)],
      );
    await expect.poll(acknowledged, PATIENTLY).toHaveLength(1);
    expect(
      await server.query(
        'SELECT active, restart_lsn IS NOT NULL AS kept FROM pg_replication_slots WHERE slot_name = $1',
        [SLOT],
      ),
    ).toEqual([{ active: true, kept: true }]);
  });

  test('goes on after a server’s restart where it was', async () => {
    await using server = await start(major);
    await using scene = new JournalScene();
    await using receiver = await Receiver.start(server.url, scene.spool);
    await makeWal(server, 20 * MIB);
    await receiver.caughtUp(server);
    await server.stop('immediate');
    await receiver.until(() => receiver.of('interrupted').length > 0);
    await server.start();
    await makeWal(server, 20 * MIB);
    await receiver.caughtUp(server);
    expect(receiver.of('interrupted')[0]?.failure.code).toBe('source.unreachable');
    expect([receiver.of('gap'), receiver.of('finding')]).toEqual([[], []]);
    expect(differingSegments(scene.spool, server)).toEqual([]);
  });
});

describe('a slot that is lost', () => {
  test('is a gap when the server has removed the WAL: told, and gone on from what is there', async () => {
    await using server = await startPostgres({
      major: 16,
      settings: { wal_keep_size: '0', min_wal_size: '32MB', max_wal_size: '48MB' },
    });
    await using scene = new JournalScene();
    {
      await using receiver = await Receiver.start(server.url, scene.spool);
      await receiver.caughtUp(server);
    }
    await expect.poll(() => server.query('SELECT 1 FROM pg_stat_replication'), PATIENTLY).toEqual([]);
    await server.query(`SELECT pg_drop_replication_slot('${SLOT}')`);
    for (let round = 0; round < 4; round++) {
      await makeWal(server, 20 * MIB);
      await server.query('SELECT pg_switch_wal()');
      await server.query('CHECKPOINT');
    }
    await using receiver = await Receiver.start(server.url, scene.spool);
    await receiver.caughtUp(server);
    const [gap] = receiver.of('gap');
    expect(gap?.finding).toMatchObject({ severity: 'error', code: 'journal.gap' });
    expect(gap?.to).toBeGreaterThan(gap?.from ?? 0n);
    expect(receiver.of('finding').map(({ finding }) => finding.code)).toEqual(['journal.slot-lost']);
    await makeWal(server, 20 * MIB);
    await receiver.caughtUp(server);
    expect(receiver.of('gap')).toHaveLength(1);
  });

  test('beyond max_slot_wal_keep_size is made anew, and the gap is told', async () => {
    await using server = await startPostgres({
      major: 16,
      settings: { max_slot_wal_keep_size: '32MB', min_wal_size: '32MB', max_wal_size: '48MB' },
    });
    await using scene = new JournalScene();
    {
      await using receiver = await Receiver.start(server.url, scene.spool);
      await receiver.caughtUp(server);
    }
    await expect.poll(() => server.query('SELECT 1 FROM pg_stat_replication'), PATIENTLY).toEqual([]);
    for (let round = 0; round < 6; round++) {
      await makeWal(server, 20 * MIB);
      await server.query('CHECKPOINT');
    }
    expect(await server.query('SELECT wal_status FROM pg_replication_slots')).toEqual([
      { wal_status: 'lost' },
    ]);
    await using receiver = await Receiver.start(server.url, scene.spool);
    await receiver.caughtUp(server);
    expect(receiver.of('gap')).toHaveLength(1);
    expect(await server.query('SELECT wal_status FROM pg_replication_slots')).toEqual([
      { wal_status: 'reserved' },
    ]);
  });

  test('is only a warning when the WAL is still there', async () => {
    await using server = await start(17);
    await using scene = new JournalScene();
    {
      await using receiver = await Receiver.start(server.url, scene.spool);
      await receiver.caughtUp(server);
    }
    await expect.poll(() => server.query('SELECT 1 FROM pg_stat_replication'), PATIENTLY).toEqual([]);
    await server.query(`SELECT pg_drop_replication_slot('${SLOT}')`);
    await makeWal(server, 40 * MIB);
    await using receiver = await Receiver.start(server.url, scene.spool);
    await receiver.caughtUp(server);
    expect(receiver.of('gap')).toEqual([]);
    expect(receiver.of('finding').map(({ finding }) => finding.code)).toEqual(['journal.slot-lost']);
    expect(differingSegments(scene.spool, server)).toEqual([]);
    expect(await flushLsn(server)).toBeGreaterThan(0n);
  });
});
