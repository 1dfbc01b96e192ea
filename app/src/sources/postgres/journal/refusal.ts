import { Failure, isFailure } from '@holdfast/engine';
import { diagnose } from '../../../doctor/check.ts';
import type { ServerAddress } from '../connection/server-address.ts';
import { postgresChecks } from '../server/doctor.ts';
import { examineServer } from '../server/server-health.ts';

/**
 * Why a server gives no replication connection, with the SQL that mends it. It says itself only what stood in the way
 * last: one with `wal_level = minimal`, that it has no walsenders left.
 */
export async function explainRefusal(
  error: unknown,
  address: ServerAddress,
  signal: AbortSignal,
): Promise<unknown> {
  if (!isFailure(error)) return error;
  const health = await examineServer(address, signal).catch(() => undefined);
  if (health?.replicationRefused === undefined) return error;
  const { advice } = diagnose(health.server, postgresChecks, health);
  const found = advice.find(
    ({ severity, code }) => severity === 'error' && code !== 'postgres.replication-login',
  );
  if (found === undefined) return error;
  const { message, fix = [], fixIn, hint } = found;
  const paste = fix.length === 0 ? [] : [`${fixIn}: ${fix.join(' ')}`];
  return new Failure(found.code === 'postgres.role' ? 'source.privilege' : 'source.unsupported', message, {
    subject: found.subject,
    hint: [...paste, ...(hint === undefined ? [] : [hint])].join(' '),
    cause: error,
  });
}
