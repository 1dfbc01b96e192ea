import { isFailure } from '@holdfast/engine';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ReplicationSession } from '../../app/src/sources/postgres/connection/replication-session.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { sqlStateOf } from '../../app/src/sources/postgres/connection/server-error.ts';
import { parseLsn } from '../../app/src/sources/postgres/wal/lsn.ts';
import { type Major, type RunningPostgres, startPostgres } from '../servers/postgres.ts';

const address = (url: string) => serverAddress(parseServerUrl(url));

describe.each<Major>([16, 18])('a replication connection to PostgreSQL %i', (major) => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres({
      major,
      hostBasedAuthentication: [
        'host all,replication secretive 127.0.0.1/32 scram-sha-256',
        'host replication outsider 127.0.0.1/32 reject',
      ],
    });
    await server.query("CREATE ROLE secretive LOGIN REPLICATION PASSWORD 'right % word'");
    await server.query('CREATE ROLE plain LOGIN');
    await server.query('CREATE ROLE outsider LOGIN REPLICATION');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('tells who the server is and how it is set', async () => {
    await using session = await ReplicationSession.open(address(server.url));
    const { systemId, timeline, flushed } = await session.identifySystem();
    const [row] = await server.query<{ id: string }>(
      'SELECT system_identifier::text AS id FROM pg_control_system()',
    );
    expect(systemId).toBe(row?.id);
    expect(timeline).toBe(1);
    expect(flushed).toBeGreaterThan(0n);
    expect(await session.show('wal_segment_size')).toBe('16MB');
  });

  test('logs in with SCRAM, over TCP and over a unix socket', async () => {
    const url = `postgres://secretive:right%20%25%20word@127.0.0.1:${server.port}/postgres`;
    await using session = await ReplicationSession.open(address(url));
    expect((await session.identifySystem()).timeline).toBe(1);
    const socket = `postgres://postgres@${encodeURIComponent(server.socketDirectory)}:${server.port}/postgres`;
    await using local = await ReplicationSession.open(address(socket));
    expect((await local.identifySystem()).timeline).toBe(1);
  });

  test('a host that does not answer is passed over for the next of the address', async () => {
    const url = `postgres://postgres@127.0.0.1:1,127.0.0.1:${server.port}/postgres`;
    await using session = await ReplicationSession.open(address(url));
    expect(session.host.port).toBe(server.port);
  });

  test.each([
    ['a wrong password', 'secretive:wrong', 'source.auth', '28P01'],
    ['a user whom pg_hba.conf refuses', 'outsider', 'source.auth', '28000'],
    ['a role without REPLICATION', 'plain', 'source.privilege', '42501'],
  ] as const)('%s is told as what it is', async (_what, login, code, state) => {
    const opening = ReplicationSession.open(address(`postgres://${login}@127.0.0.1:${server.port}/postgres`));
    const error = await opening.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(isFailure(error, code), String(error)).toBe(true);
    expect(sqlStateOf(error)).toBe(state);
    expect(String((error as Error).message)).not.toContain('wrong@');
  });

  test('a server that is not there is unreachable', async () => {
    await expect(ReplicationSession.open(address('postgres://u@127.0.0.1:1/x'))).rejects.toMatchObject({
      code: 'source.unreachable',
      retry: true,
    });
  });

  test('a slot is made, read and dropped', async () => {
    await using session = await ReplicationSession.open(address(server.url));
    expect(await session.readSlot('ours')).toBeUndefined();
    await session.createPhysicalSlot('ours', { reserveWal: true });
    expect(await session.readSlot('ours')).toMatchObject({ kind: 'physical', restart: { timeline: 1 } });
    await session.dropSlot('ours');
    expect(await session.readSlot('ours')).toBeUndefined();
  });

  test('a failed command leaves the connection of use', async () => {
    await using session = await ReplicationSession.open(address(server.url));
    const error = await session.dropSlot('never_made').catch((thrown: unknown) => thrown);
    expect(sqlStateOf(error)).toBe('42704');
    expect((await session.identifySystem()).timeline).toBe(1);
  });

  test('the log is streamed both ways until we end it', async () => {
    await using session = await ReplicationSession.open(address(server.url));
    const { flushed } = await session.identifySystem();
    await server.query('CREATE TABLE streamed AS SELECT generate_series(1, 100000) AS n');
    const [row] = await server.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
    const goal = parseLsn(row?.lsn ?? '0/0');
    const start = flushed - (flushed % 0x100_0000n);
    let received = start;
    for await (const part of session.run(
      `START_REPLICATION PHYSICAL ${start >> 32n}/${start.toString(16)} TIMELINE 1`,
    )) {
      if (part.kind !== 'copy-both') continue;
      for await (const payload of part.stream.received) {
        if (payload[0] !== 0x77) continue;
        expect(payload.readBigUInt64BE(1)).toBe(received);
        received += BigInt(payload.length - 25);
        if (received >= goal) await part.stream.end();
      }
    }
    expect(received).toBeGreaterThanOrEqual(goal);
    expect((await session.identifySystem()).timeline).toBe(1);
  });

  test('an abort ends the connection on both sides', async () => {
    const controller = new AbortController();
    const session = await ReplicationSession.open(address(server.url), { signal: controller.signal });
    await session.createPhysicalSlot('fleeting', { temporary: true });
    controller.abort(new Error('enough'));
    await expect(session.identifySystem()).rejects.toThrow('enough');
    await expect
      .poll(() =>
        server.query('SELECT 1 FROM pg_replication_slots UNION ALL SELECT 1 FROM pg_stat_replication'),
      )
      .toEqual([]);
    await session.close();
  });
});
