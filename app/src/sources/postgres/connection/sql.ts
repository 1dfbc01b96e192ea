import { Failure } from '@holdfast/engine';
import type { Client } from 'pg';
import { logIn } from './login.ts';
import { type ServerAddress, serverName } from './server-address.ts';
import { failureFrom } from './server-error.ts';

/**
 * Logs in, asks, and logs out again. An abort ends the connection under a running query, and so does a server that takes
 * longer than any of our questions deserves.
 */
export async function withSql<Answer>(
  address: ServerAddress,
  signal: AbortSignal,
  ask: (client: Client) => Promise<Answer>,
): Promise<Answer> {
  const { client } = await logIn(address, 'sql', signal);
  client.on('error', () => undefined);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT)]);
  const end = () => void client.end().catch(() => undefined);
  limit.addEventListener('abort', end, { once: true });
  try {
    limit.throwIfAborted();
    return await ask(client);
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.aborted) throw failureFrom(error, serverName(address));
    throw new Failure('source.unreachable', `the server gave no answer within ${LIMIT / 1000} s`, {
      subject: serverName(address),
      cause: error,
    });
  } finally {
    limit.removeEventListener('abort', end);
    await client.end().catch(() => undefined);
  }
}

/** Milliseconds. */
const LIMIT = 30_000;
