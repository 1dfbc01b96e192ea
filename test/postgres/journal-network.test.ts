import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveServer } from '../../app/src/sources/postgres/config.ts';
import { quickClock } from '../scenes/quick-clock.ts';
import { type RunningPostgres, startPostgres } from '../servers/postgres.ts';
import { TcpProxy } from '../servers/tcp-proxy.ts';
import { differingSegments, flushLsn, JournalScene, makeWal, Receiver, SLOT } from './journal-scene.ts';

const MIB = 2 ** 20;

const start = (settings: Record<string, string> = {}): Promise<RunningPostgres> =>
  startPostgres({ major: 17, settings: { wal_keep_size: '4GB', max_wal_size: '4GB', ...settings } });

const through = (proxy: TcpProxy) => `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;

test('a network that is cut mid-stream costs nothing but the time', async () => {
  await using server = await start();
  await using proxy = await TcpProxy.before(server.port);
  await using scene = new JournalScene();
  await using receiver = await Receiver.start(through(proxy), scene.spool);
  for (let cut = 1; cut <= 3; cut += 1) {
    const before = receiver.flushed;
    const writing = makeWal(server, 40 * MIB);
    // In the middle of it, not before and not after.
    await receiver.until(() => receiver.flushed > before);
    proxy.cut();
    await receiver.until(() => receiver.of('interrupted').length >= cut);
    proxy.mend();
    await writing;
    await receiver.caughtUp(server);
  }
  expect(receiver.of('interrupted')[0]?.failure.code).toBe('source.unreachable');
  expect([receiver.of('gap'), receiver.of('finding')]).toEqual([[], []]);
  expect(differingSegments(scene.spool, server)).toEqual([]);
});

test('a slow network delays, and loses nothing', async () => {
  await using server = await start();
  await using proxy = await TcpProxy.before(server.port);
  await using scene = new JournalScene();
  await using receiver = await Receiver.start(through(proxy), scene.spool);
  proxy.delay = 50;
  await makeWal(server, 20 * MIB);
  await receiver.caughtUp(server);
  expect(receiver.of('interrupted')).toEqual([]);
  expect(differingSegments(scene.spool, server)).toEqual([]);
});

test('a connection that is silent without having ended is noticed, and a new one made', async () => {
  // The server's own patience: until it is over, the slot belongs to the connection that is gone.
  await using server = await start({ wal_sender_timeout: '1s' });
  await using proxy = await TcpProxy.before(server.port);
  await using scene = new JournalScene();
  const clock = quickClock(60);
  await using receiver = await Receiver.start(through(proxy), scene.spool, { clock });
  await receiver.caughtUp(server);
  proxy.stall();
  await makeWal(server, 20 * MIB);
  await receiver.until(() => receiver.of('interrupted').length > 0);
  expect(receiver.of('interrupted')[0]?.failure).toMatchObject({
    code: 'source.unreachable',
    message: expect.stringMatching(/silent for \d+ s/),
  });
  // The next connection is swallowed at its login or behind it: that ends as well.
  await receiver.until(() => receiver.of('interrupted').length > 1);
  proxy.mend();
  await receiver.caughtUp(server);
  expect([receiver.of('gap'), receiver.of('finding')]).toEqual([[], []]);
  expect(differingSegments(scene.spool, server)).toEqual([]);
});

test('a password that is changed while we stream is read anew, and told until it is right', async () => {
  await using server = await startPostgres({
    major: 16,
    hostBasedAuthentication: [
      'host replication backup 127.0.0.1/32 scram-sha-256',
      'host all backup 127.0.0.1/32 scram-sha-256',
    ],
  });
  await using scene = new JournalScene();
  const passwords = join(scene.base, 'pgpass');
  const write = (password: string) => writeFileSync(passwords, `*:*:*:backup:${password}\n`);
  write('first');
  await server.query("CREATE ROLE backup LOGIN REPLICATION PASSWORD 'first'");
  const url = `postgres://backup@127.0.0.1:${server.port}/postgres`;
  const findServer = () =>
    resolveServer({ url }, { environment: { PGPASSFILE: passwords }, homeDirectory: scene.base });
  const first = `postgres://backup:first@127.0.0.1:${server.port}/postgres`;
  await using receiver = await Receiver.start(first, scene.spool, { findServer });
  await receiver.caughtUp(server);
  await server.query("ALTER ROLE backup PASSWORD 'second'");
  await server.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots');
  const refused = () => receiver.of('interrupted').filter(({ failure }) => failure.code === 'source.auth');
  await receiver.until(() => refused().length >= 2);
  expect(refused()[0]?.failure.hint).toMatch(/password/);
  await makeWal(server, 20 * MIB);
  write('second');
  await receiver.caughtUp(server);
  expect(receiver.of('gap')).toEqual([]);
});

test('a slot that somebody drops under our feet is made again, and nothing is missing', async () => {
  await using server = await start();
  await using scene = new JournalScene();
  await using receiver = await Receiver.start(server.url, scene.spool);
  await makeWal(server, 20 * MIB);
  await receiver.caughtUp(server);
  await server.query(`
    DO $$ BEGIN
      PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${SLOT}';
      LOOP
        BEGIN
          PERFORM pg_drop_replication_slot('${SLOT}');
          EXIT;
        EXCEPTION WHEN object_in_use THEN
          NULL;
        END;
      END LOOP;
    END $$`);
  await receiver.until(() => receiver.of('streaming').length > 1);
  await makeWal(server, 20 * MIB);
  await receiver.caughtUp(server);
  expect(receiver.of('finding').map(({ finding }) => finding.code)).toEqual(['journal.slot-lost']);
  expect(receiver.of('gap')).toEqual([]);
  expect(differingSegments(scene.spool, server)).toEqual([]);
});

test('a slot that is given up while a network holds us up is a gap, told, and gone on from', async () => {
  await using server = await startPostgres({
    major: 16,
    settings: {
      max_slot_wal_keep_size: '32MB',
      min_wal_size: '32MB',
      max_wal_size: '48MB',
      wal_sender_timeout: '500ms',
    },
  });
  await using proxy = await TcpProxy.before(server.port);
  await using scene = new JournalScene();
  await using receiver = await Receiver.start(through(proxy), scene.spool, { clock: quickClock(20) });
  await receiver.caughtUp(server);
  proxy.stall();
  // A walsender that is told to end while its network is stalled would wait to say so.
  const active = () => server.query('SELECT active FROM pg_replication_slots');
  await expect.poll(active, { timeout: 30_000 }).toEqual([{ active: false }]);
  const status = async () => {
    await makeWal(server, 20 * MIB);
    await server.query('CHECKPOINT');
    const [row] = await server.query<{ status: string }>(
      'SELECT wal_status AS status FROM pg_replication_slots',
    );
    return row?.status;
  };
  await expect.poll(status, { timeout: 60_000, interval: 10 }).toBe('lost');
  proxy.mend();
  await receiver.until(() => receiver.of('gap').length > 0);
  await makeWal(server, 20 * MIB);
  await receiver.caughtUp(server);
  expect(receiver.of('gap')).toHaveLength(1);
  expect(receiver.of('finding').map(({ finding }) => finding.code)).toEqual(['journal.slot-lost']);
});

test('a synchronous journal says so when the server does not wait for it', async () => {
  await using server = await start();
  await using scene = new JournalScene();
  {
    await using receiver = await Receiver.start(server.url, scene.spool, { synchronous: true });
    await receiver.caughtUp(server);
    expect(receiver.of('finding').map(({ finding }) => finding.code)).toEqual(['journal.not-synchronous']);
    const hint = receiver.of('finding')[0]?.finding.hint ?? '';
    // It is there to be pasted.
    for (const statement of hint.split(';')) if (statement.trim() !== '') await server.query(statement);
  }
  await using receiver = await Receiver.start(server.url, scene.spool, { synchronous: true });
  await receiver.until(() => receiver.of('streaming').length > 0);
  await server.query('CREATE TABLE waited AS SELECT 1 AS one');
  expect(receiver.of('finding')).toEqual([]);
  expect(receiver.flushed).toBeGreaterThanOrEqual((await flushLsn(server)) - 16n * 1024n * 1024n);
});
