import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveServer } from '../../app/src/sources/postgres/config.ts';
import { ReplicationSession } from '../../app/src/sources/postgres/connection/replication-session.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { makeCertificates } from '../scenes/certificates.ts';
import { PostgresScene } from '../scenes/postgres-scene.ts';
import { type RunningPostgres, startPostgres } from '../servers/postgres.ts';

describe('a base is taken', () => {
  let directory: string;
  let server: RunningPostgres;
  let certificates: Awaited<ReturnType<typeof makeCertificates>>;
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'holdfast-logins-'));
    await chmod(directory, 0o755);
    certificates = await makeCertificates(directory, 'certified');
    server = await startPostgres({
      major: 17,
      tls: { ...certificates.server, authority: certificates.authority },
      hostBasedAuthentication: [
        'hostssl all,replication certified all cert',
        'local all,replication neighbour scram-sha-256',
        'host all,replication sealed all scram-sha-256',
      ],
    });
    await server.query(
      "CREATE ROLE certified LOGIN REPLICATION; CREATE ROLE neighbour LOGIN REPLICATION PASSWORD 'next'",
    );
    await server.query("CREATE ROLE sealed LOGIN REPLICATION PASSWORD 'first'");
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  async function take(config: Parameters<typeof resolveServer>[0], environment: Record<string, string> = {}) {
    using scene = new PostgresScene();
    const address = await resolveServer(config, { environment, homeDirectory: directory });
    const repository = await scene.create();
    return await scene.backUp(repository, server.url, { address });
  }

  test('over a unix socket', async () => {
    const { record } = await take({
      host: server.socketDirectory,
      port: server.port,
      user: 'neighbour',
      password: 'next',
      database: 'postgres',
    });
    expect(record).toMatchObject({ role: 'neighbour', standby: false });
  });

  test('by the name of a service', async () => {
    const file = path.join(directory, 'services.conf');
    const lines = ['[shop]', 'host=127.0.0.1', `port=${server.port}`, 'user=sealed', 'dbname=postgres'];
    await writeFile(file, `${lines.join('\n')}\n`);
    const { record } = await take({ service: 'shop' }, { PGSERVICEFILE: file, PGPASSWORD: 'first' });
    expect(record.role).toBe('sealed');
  });

  test('with a client certificate alone', async () => {
    const { certificate, key } = certificates.client;
    const tls = { mode: 'verify-full', rootCertificate: certificates.authority, certificate, key } as const;
    const { record } = await take({
      host: 'localhost',
      port: server.port,
      user: 'certified',
      database: 'postgres',
      tls,
    });
    expect(record.role).toBe('certified');
    expect(record.databases?.map(({ name }) => name)).toContain('postgres');
  });

  test('again once it knows the password that was changed in between, and says till then that it may have been', async () => {
    const login = { host: '127.0.0.1', port: server.port, user: 'sealed', database: 'postgres' };
    await take({ ...login, password: 'first' });
    await server.query("ALTER ROLE sealed PASSWORD 'second'");
    await expect(take({ ...login, password: 'first' })).rejects.toMatchObject({
      code: 'source.auth',
      hint: expect.stringContaining('Was the password changed?'),
    });
    expect((await take({ ...login, password: 'second' })).record.role).toBe('sealed');
  });
});

describe('a base that a server refuses says what to paste', () => {
  async function refusal(
    server: RunningPostgres,
    role: string,
  ): Promise<{ code: string; message: string; hint: string }> {
    using scene = new PostgresScene();
    const repository = await scene.create();
    const error = await scene.backUp(repository, server.url.replace('postgres@', `${role}@`)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return error as { code: string; message: string; hint: string };
  }

  async function accepted(server: RunningPostgres, login: string): Promise<void> {
    using scene = new PostgresScene();
    const repository = await scene.create();
    await scene.backUp(repository, server.url.replace('postgres@', `${login}@`));
  }

  test('to a role without REPLICATION', async () => {
    await using server = await startPostgres({ major: 16 });
    await server.query('CREATE ROLE "Plain" LOGIN');
    const { code, message, hint } = await refusal(server, 'Plain');
    expect({ code, message }).toEqual({
      code: 'source.privilege',
      message: 'the role Plain does not have the attribute REPLICATION',
    });
    const sql = 'ALTER ROLE "Plain" REPLICATION;';
    expect(hint).toContain(`In psql, as an administrator:\n  ${sql}\n`);
    await server.query(sql);
    await accepted(server, 'Plain');
  });

  test('to a role that pg_hba.conf does not let in for replication', async () => {
    await using server = await startPostgres({
      major: 16,
      hostBasedAuthentication: ['host replication outsider all reject'],
    });
    await server.query("CREATE ROLE outsider LOGIN REPLICATION PASSWORD 'known'");
    const { code, hint } = await refusal(server, 'outsider');
    expect(code).toBe('source.auth');
    const line = 'host  replication  outsider  127.0.0.1/32  scram-sha-256';
    expect(hint).toContain(`  ${line}\n`);
    const file = path.join(server.dataDirectory, 'pg_hba.conf');
    await writeFile(file, `${line}\n${await readFile(file, 'utf8')}`);
    await server.query('SELECT pg_reload_conf()');
    await accepted(server, 'outsider:known');
  });

  test('where WAL is not written for backups', async () => {
    const settings = { wal_level: 'minimal', max_wal_senders: '0' };
    await using server = await startPostgres({ major: 16, settings });
    const { message, hint } = await refusal(server, 'postgres');
    expect(message).toBe('wal_level is minimal: neither a base backup nor a journal can be taken');
    const fixes = ["ALTER SYSTEM SET wal_level = 'replica';", 'ALTER SYSTEM SET max_wal_senders = 10;'];
    for (const sql of fixes) {
      expect(hint).toContain(`  ${sql}\n`);
      await server.query(sql);
    }
    await server.stop();
    await server.start();
    await accepted(server, 'postgres');
  });

  test('where all connections for replication are in use', async () => {
    await using server = await startPostgres({ major: 16, settings: { max_wal_senders: '3' } });
    const address = serverAddress(parseServerUrl(server.url));
    const others = await Promise.all([1, 2, 3].map(() => ReplicationSession.open(address)));
    const { code, hint } = await refusal(server, 'postgres');
    expect(code).toBe('source.unreachable');
    const sql = 'ALTER SYSTEM SET max_wal_senders = 8;';
    expect(hint).toContain(`  ${sql}\n`);
    await server.query(sql);
    for (const other of others) await other.close();
    await server.stop();
    await server.start();
    const still = await Promise.all([1, 2, 3].map(() => ReplicationSession.open(address)));
    await accepted(server, 'postgres');
    for (const other of still) await other.close();
  });
});
