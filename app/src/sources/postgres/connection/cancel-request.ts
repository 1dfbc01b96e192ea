import { connect } from 'node:net';
import type { Client } from 'pg';
import type { HostAddress } from './server-address.ts';

/** What a server tells each connection at its login, so that another one can interrupt it. */
export interface BackendKey {
  readonly processId: number;
  readonly secret: number;
}

export function backendKeyOf(client: Client): BackendKey {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  return { processId: processID, secret: secretKey };
}

/**
 * Asks a server to interrupt what a connection waits for (CancelRequest: length 16, code 80877102, process id, secret; big
 * endian). It needs no login and no TLS, as libpq's does not. Resolves when the server has heard it, or when that takes
 * longer than anybody should wait for it; never rejects, since whoever interrupts has nothing to do about it.
 */
export async function requestCancel(host: HostAddress, { processId, secret }: BackendKey): Promise<void> {
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(CANCEL, 4);
  message.writeInt32BE(processId, 8);
  message.writeInt32BE(secret, 12);
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = host.name.startsWith('/')
    ? connect(`${host.name}/.s.PGSQL.${host.port}`)
    : connect(host.port, host.name);
  socket.setTimeout(LIMIT, () => socket.destroy());
  socket.once('connect', () => socket.write(message));
  // The server answers with nothing but its end.
  socket.on('error', () => undefined).once('close', () => resolve());
  socket.resume();
  await promise;
}

const CANCEL = 80_877_102;
/** Milliseconds. */
const LIMIT = 2000;
