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
  const wrong = advice.filter(
    ({ severity, code }) => severity === 'error' && code !== 'postgres.replication-login',
  );
  const [first] = wrong;
  if (first === undefined) return error;
  const code = first.code === 'postgres.role' ? 'source.privilege' : 'source.unsupported';
  return new Failure(code, first.message, {
    subject: first.subject,
    hint: wrong
      .map(({ fix = [], fixIn, hint }) => `${fixIn}: ${fix.join(' ')} ${hint ?? ''}`.trim())
      .join(' '),
    cause: error,
  });
}
