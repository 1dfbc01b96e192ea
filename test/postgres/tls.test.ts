import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReplicationSession } from '../../app/src/sources/postgres/connection/replication-session.ts';
import { parseServerUrl, serverAddress } from '../../app/src/sources/postgres/connection/server-address.ts';
import { type Certificates, makeCertificates } from '../scenes/certificates.ts';
import { type RunningPostgres, startPostgres } from '../servers/postgres.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-tls-'));
let certificates: Certificates;
let server: RunningPostgres;

beforeAll(async () => {
  chmodSync(directory, 0o755);
  certificates = await makeCertificates(directory, 'certified');
  server = await startPostgres({
    major: 18,
    tls: { ...certificates.server, authority: certificates.authority },
    hostBasedAuthentication: [
      'hostssl replication certified all cert',
      'hostnossl replication sealed all reject',
      'hostssl replication sealed all scram-sha-256',
    ],
  });
  await server.query('CREATE ROLE certified LOGIN REPLICATION');
  await server.query("CREATE ROLE sealed LOGIN REPLICATION PASSWORD 'secret'");
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

async function identify(login: string, host: string, parameters: Record<string, string>): Promise<number> {
  const url = `postgres://${login}@${host}:${server.port}/postgres?${new URLSearchParams(parameters)}`;
  await using session = await ReplicationSession.open(serverAddress(parseServerUrl(url)));
  return (await session.identifySystem()).timeline;
}

test('a server is believed when its certificate names the host and is signed by the authority given', async () => {
  const parameters = { sslmode: 'verify-full', sslrootcert: certificates.authority };
  expect(await identify('sealed:secret', 'localhost', parameters)).toBe(1);
});

test.each([
  ['another host than the certificate names', '127.0.0.1', () => certificates.authority],
  ['a certificate of another authority', 'localhost', () => certificates.stranger],
])('%s is refused with verify-full', async (_what, host, sslrootcert) => {
  const parameters = { sslmode: 'verify-full', sslrootcert: sslrootcert() };
  await expect(identify('sealed:secret', host, parameters)).rejects.toMatchObject({ code: 'source.auth' });
});

test('verify-ca does not look at the name, and require believes anybody', async () => {
  const verified = { sslmode: 'verify-ca', sslrootcert: certificates.authority };
  expect(await identify('sealed:secret', '127.0.0.1', verified)).toBe(1);
  expect(await identify('sealed:secret', '127.0.0.1', { sslmode: 'require' })).toBe(1);
});

test('a client certificate is a login', async () => {
  const { certificate, key } = certificates.client;
  const parameters = {
    sslmode: 'verify-full',
    sslrootcert: certificates.authority,
    sslcert: certificate,
    sslkey: key,
  };
  expect(await identify('certified', 'localhost', parameters)).toBe(1);
});

test('without being told, TLS is used where the server has it, and left where it has not', async () => {
  expect(await identify('sealed:secret', '127.0.0.1', {})).toBe(1);
  await using bare = await startPostgres({ major: 16 });
  const address = serverAddress(parseServerUrl(`${bare.url}?sslmode=prefer`));
  await using session = await ReplicationSession.open(address);
  expect((await session.identifySystem()).timeline).toBe(1);
});

test('what wants TLS is not sent in the clear to a server that has none', async () => {
  await using bare = await startPostgres({ major: 16 });
  const opening = ReplicationSession.open(serverAddress(parseServerUrl(`${bare.url}?sslmode=require`)));
  await expect(opening).rejects.toMatchObject({ code: 'source.unreachable' });
});
