import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import type { JournalEvent } from '../../app/src/sources/postgres/journal/journal-event.ts';
import { SlotKeeper } from '../../app/src/sources/postgres/journal/slot-keeper.ts';
import { parseLsn } from '../../app/src/sources/postgres/wal/lsn.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { type Major, type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { TcpProxy } from '../servers/tcp-proxy.ts';
import { flushLsn, JournalScene, makeWal, promoted, Receiver, SLOT, standbyOf } from './journal-scene.ts';

const MIB = 2 ** 20;
const PATIENTLY = { timeout: 30_000 };
/** Nothing but our slots keeps WAL on these. */
const FORGETFUL = { wal_keep_size: '0', min_wal_size: '32MB', max_wal_size: '48MB' };

/** A slot keeper at work; what it told. */
class Keeping implements AsyncDisposable {
  readonly findings: string[] = [];
  readonly #stop = new AbortController();
  readonly #keeper: SlotKeeper;
  readonly #running: Promise<void>;

  constructor(url: string, receiver: Receiver, server: { systemId: string; segmentSize: number }) {
    this.#keeper = new SlotKeeper({
      findServer: async () => serverAddress(parseServerUrl(url)),
      slot: SLOT,
      server,
      clock: systemClock,
      interval: 100,
      onEvent: (event) => {
        if (event.kind === 'finding') this.findings.push(event.finding.code);
      },
      signal: this.#stop.signal,
    });
    for (const event of receiver.events) this.hear(event);
    this.#running = this.#keeper.run();
  }

  hear(event: JournalEvent): void {
    this.#keeper.hear(event);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

async function restartOf(server: RunningPostgres): Promise<bigint | undefined> {
  const [row] = await server.query<{ lsn: string | null }>(
    'SELECT restart_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
    [SLOT],
  );
  return row?.lsn ? parseLsn(row.lsn) : undefined;
}

const count = async (server: RunningPostgres) =>
  (await server.query<{ count: number }>('SELECT count(*)::int AS count FROM orders'))[0]?.count;

async function systemOf(server: RunningPostgres) {
  const [row] = await server.query<{ id: string }>(
    'SELECT system_identifier::text AS id FROM pg_control_system()',
  );
  return { systemId: row?.id ?? '', segmentSize: 16 * MIB };
}

describe.each<Major>([14, 16, 18])('several hosts, PostgreSQL %i', (major) => {
  test('a standby keeps our slot, so that its promotion is no gap, also for a role with REPLICATION alone', async () => {
    await using primary = await startPostgres({ major, settings: FORGETFUL });
    await using scene = new JournalScene();
    await primary.query('CREATE ROLE backup LOGIN REPLICATION');
    await primary.query('CREATE TABLE orders (number int PRIMARY KEY, note text)');
    await primary.stop();
    const base = scene.coldCopy(primary);
    await using standby = await standbyOf(primary, scene.coldCopy(primary), major);
    await primary.start();
    const url = `postgres://backup@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres`;
    {
      let keeping: Keeping | undefined;
      await using receiver = await Receiver.start(url, scene.spool, {
        onEvent: (event) => keeping?.hear(event),
      });
      await receiver.caughtUp(primary);
      await using kept = new Keeping(url, receiver, await systemOf(primary));
      keeping = kept;
      await expect.poll(() => restartOf(standby), PATIENTLY).toBeDefined();
      const madeAt = (await restartOf(standby)) ?? 0n;
      await makeWal(primary, 40 * MIB);
      await primary.query('INSERT INTO orders SELECT generate_series(1, 100)');
      await receiver.caughtUp(primary);
      // It keeps what we may ask for, and no more.
      await expect.poll(async () => ((await restartOf(standby)) ?? 0n) > madeAt, PATIENTLY).toBe(true);
      await expect.poll(() => count(standby), PATIENTLY).toBe(100);
    }
    await primary.kill();
    {
      // The standby goes on for long before we are back, and removes what it may.
      await standby.query('SELECT pg_promote()');
      await promoted(standby);
      for (let round = 0; round < 3; round += 1) {
        await makeWal(standby, 20 * MIB);
        await standby.query('CHECKPOINT');
      }
      await standby.query('INSERT INTO orders SELECT generate_series(101, 200)');
      await using receiver = await Receiver.start(url, scene.spool);
      await receiver.caughtUp(standby);
      expect(receiver.of('timeline')).toMatchObject([{ from: 1, to: 2 }]);
      expect(receiver.of('gap')).toEqual([]);
      expect(receiver.of('finding')).toEqual([]);
    }
    await using restored = await scene.recover(major, base, scene.spool);
    expect(await count(restored)).toBe(200);
  });
});

test('a host that cannot be reached is a warning, told once, and no failure', async () => {
  await using primary = await startPostgres({ major: 16 });
  await using nobody = await TcpProxy.before(1);
  nobody.cut();
  await using scene = new JournalScene();
  const url = `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${nobody.port}/postgres`;
  await using receiver = await Receiver.start(url, scene.spool);
  await receiver.caughtUp(primary);
  await using keeping = new Keeping(url, receiver, await systemOf(primary));
  await expect.poll(() => keeping.findings, PATIENTLY).toEqual(['journal.slot-not-kept']);
  await makeWal(primary, MIB);
  await receiver.caughtUp(primary);
  expect(keeping.findings).toEqual(['journal.slot-not-kept']);
});

test('an old primary that comes back does not keep us from the one that took over', async () => {
  await using old = await startPostgres({ major: 16, settings: { wal_keep_size: '1GB' } });
  await using scene = new JournalScene();
  await old.stop();
  await using successor = await standbyOf(old, scene.coldCopy(old), 16);
  await old.start();
  const url = `postgres://postgres@127.0.0.1:${old.port},127.0.0.1:${successor.port}/postgres`;
  await using receiver = await Receiver.start(url, scene.spool);
  await receiver.caughtUp(old);
  await old.stop();
  await successor.query('SELECT pg_promote()');
  await promoted(successor);
  await successor.query('CREATE TABLE newer AS SELECT 1 AS one');
  await receiver.caughtUp(successor);
  await old.start();
  await successor.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots');
  const streams = receiver.of('streaming').length;
  await receiver.until(() => receiver.of('streaming').length > streams);
  await successor.query('CREATE TABLE newest AS SELECT 1 AS one');
  await receiver.caughtUp(successor);
  expect(receiver.of('streaming').at(-1)).toMatchObject({ timeline: 2, host: { port: successor.port } });
});

test.each([
  ['within one segment', 0],
  ['by more than a segment', 20 * MIB],
])(
  'what only we have when another takes over is kept under the old timeline (%s); both histories come back',
  async (_, lead) => {
    await using primary = await startPostgres({ major: 17, settings: { wal_keep_size: '1GB' } });
    await using scene = new JournalScene();
    await primary.query('CREATE TABLE orders (number int PRIMARY KEY, note text)');
    await primary.stop();
    const [first, second] = [scene.coldCopy(primary), scene.coldCopy(primary)];
    // The standby follows through a network that is cut.
    await using proxy = await TcpProxy.before(primary.port);
    await using standby = await standbyOf({ ...primary, port: proxy.port }, scene.coldCopy(primary), 17);
    await primary.start();
    const url = `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres`;
    {
      await using receiver = await Receiver.start(url, scene.spool);
      await receiver.caughtUp(primary);
      await primary.query(`ALTER SYSTEM SET synchronous_standby_names = '${SLOT}'`);
      await primary.query('SELECT pg_reload_conf()');
      await primary.query('INSERT INTO orders SELECT generate_series(1, 100)');
      await expect.poll(() => count(standby), PATIENTLY).toBe(100);
      proxy.cut();
      // Acknowledged, since it is durable with us; the standby never hears of it.
      await primary.query('INSERT INTO orders SELECT generate_series(101, 150)');
      if (lead > 0) await makeWal(primary, lead);
      await receiver.caughtUp(primary);
      await primary.kill();
      await standby.query('SELECT pg_promote()');
      await promoted(standby);
      await standby.query("ALTER SYSTEM SET synchronous_standby_names = ''");
      await standby.query('INSERT INTO orders SELECT generate_series(201, 300)');
      const findings = () => receiver.of('finding').map(({ finding }) => finding.code);
      await receiver.until(() => findings().includes('journal.ahead'));
      // Nobody has kept a slot on the standby here.
      expect(findings()).toEqual(['journal.slot-lost', 'journal.ahead']);
      await receiver.until(() => receiver.of('streaming').at(-1)?.timeline === 2);
      await standby.query('INSERT INTO orders SELECT generate_series(301, 310)');
      const goal = await flushLsn(standby);
      await receiver.until(() =>
        receiver.of('flushed').some(({ progress }) => progress.timeline === 2 && progress.flushed >= goal),
      );
      expect(receiver.of('gap')).toEqual([]);
    }
    {
      await using restored = await scene.recover(17, first, scene.spool);
      expect(await count(restored)).toBe(100 + 100 + 10);
    }
    await using lost = await scene.recover(17, second, scene.spool, '1');
    expect(await count(lost)).toBe(150);
  },
);

test('a standby is a source as good as its primary, and is followed when it is promoted', async () => {
  await using primary = await startPostgres({ major: 18, settings: { wal_keep_size: '1GB' } });
  await using scene = new JournalScene();
  await primary.query('CREATE TABLE orders (number int PRIMARY KEY, note text)');
  await primary.stop();
  const base = scene.coldCopy(primary);
  await using standby = await standbyOf(primary, scene.coldCopy(primary), 18);
  await primary.start();
  {
    await using receiver = await Receiver.start(standby.url, scene.spool);
    await makeWal(primary, 20 * MIB);
    await primary.query('INSERT INTO orders SELECT generate_series(1, 100)');
    await receiver.caughtUp(primary);
    await primary.kill();
    rmSync(join(primary.dataDirectory, 'base'), { recursive: true });
    await standby.query('SELECT pg_promote()');
    await promoted(standby);
    await standby.query('INSERT INTO orders SELECT generate_series(101, 200)');
    await receiver.caughtUp(standby);
    expect([receiver.of('gap'), receiver.of('finding')]).toEqual([[], []]);
  }
  await using restored = await scene.recover(18, base, scene.spool);
  expect(await count(restored)).toBe(200);
});
