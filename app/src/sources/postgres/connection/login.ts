import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { Failure } from '@holdfast/engine';
import { Client, type ClientConfig } from 'pg';
import { type HostAddress, type ServerAddress, serverName } from './server-address.ts';
import { failureFrom } from './server-error.ts';
import { SlabSocket } from './slab-socket.ts';

export type LoginPurpose = 'sql' | 'replication' | 'logical-replication';

/**
 * Logs in at the first host that answers (and is what `targetSession` asks for). The caller ends the client.
 * All that can go wrong is a failure `source.…`; of several hosts the last one's is told.
 */
export async function logIn(
  address: ServerAddress,
  purpose: LoginPurpose,
  signal?: AbortSignal,
): Promise<{ client: Client; host: HostAddress }> {
  let failure: Failure | undefined;
  for (const host of address.hosts) {
    signal?.throwIfAborted();
    try {
      const client = await logInAt(host, address, purpose, signal);
      if (await isWanted(client, address, purpose)) return { client, host };
      await client.end();
      failure ??= new Failure('source.unreachable', `no server of these is ${address.targetSession}`, {
        subject: serverName(address),
      });
    } catch (error) {
      signal?.throwIfAborted();
      failure = failureFrom(error, serverName(address, host));
      // A wrong password is wrong at each host; asking them all would only lock the account sooner.
      if (failure.code === 'source.auth') break;
    }
  }
  throw failure ?? new Failure('usage', 'the address of the server names no host');
}

/** The socket below a client that is logged in, with nobody listening to its bytes any more. */
export function takeSocket(client: Client): Duplex {
  const { connection } = client as unknown as { connection: { stream: Duplex } };
  connection.stream.pause();
  connection.stream.removeAllListeners('data');
  // pg tells of a socket that closes as an error of the client: whoever took the socket hears it there.
  client.on('error', () => undefined);
  return connection.stream;
}

async function logInAt(
  host: HostAddress,
  address: ServerAddress,
  purpose: LoginPurpose,
  signal: AbortSignal | undefined,
): Promise<Client> {
  const { mode } = address.tls;
  const local = host.name.startsWith('/');
  if (local || mode === 'disable') return await connect(host, address, purpose, false, signal);
  const tls = await tlsOptions(address);
  try {
    return await connect(host, address, purpose, tls, signal);
  } catch (error) {
    // pg's refusal of TLS is the one error that has no code at all.
    if (mode !== 'prefer' || (error as { code?: string }).code !== undefined) throw error;
    return await connect(host, address, purpose, false, signal);
  }
}

async function connect(
  host: HostAddress,
  address: ServerAddress,
  purpose: LoginPurpose,
  ssl: ConnectionOptions | false,
  signal: AbortSignal | undefined,
): Promise<Client> {
  const config: ClientConfig & { replication?: string } = {
    host: host.name,
    port: host.port,
    user: address.user,
    // An empty password keeps pg from looking for one itself: where passwords come from is decided in one place.
    password: address.password ?? '',
    database: address.database,
    ssl,
    application_name: address.applicationName,
    connectionTimeoutMillis: address.connectSeconds * 1000,
    // A peer that is gone without a word is noticed while nothing is to be sent, too: half a minute and ten probes.
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    ...(purpose === 'sql' ? {} : { stream: () => new SlabSocket() }),
    ...(purpose === 'sql' ? {} : { replication: purpose === 'replication' ? 'true' : 'database' }),
  };
  const client = new Client(config);
  const abort = () => void client.end().catch(() => undefined);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await client.connect().then(() => client);
  } catch (error) {
    client.on('error', () => undefined);
    void client.end().catch(() => undefined);
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

async function isWanted(client: Client, address: ServerAddress, purpose: LoginPurpose): Promise<boolean> {
  if (address.targetSession === 'any' || purpose === 'replication') return true;
  const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
  return rows[0]?.standby === (address.targetSession === 'standby');
}

async function tlsOptions({ tls }: ServerAddress): Promise<ConnectionOptions> {
  const file = async (name: string) => {
    try {
      return await readFile(name);
    } catch (cause) {
      throw new Failure('usage', `the TLS file ${name} cannot be read`, { subject: name, cause });
    }
  };
  return {
    // `require` encrypts and believes anybody, as libpq does; only the verify modes look at the certificate.
    rejectUnauthorized: tls.mode === 'verify-ca' || tls.mode === 'verify-full',
    ...(tls.mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    ...(tls.rootCertificate === undefined ? {} : { ca: await file(tls.rootCertificate) }),
    ...(tls.certificate === undefined ? {} : { cert: await file(tls.certificate) }),
    ...(tls.key === undefined ? {} : { key: await file(tls.key) }),
  };
}
