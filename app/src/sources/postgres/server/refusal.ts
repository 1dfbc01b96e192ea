import { Failure, isFailure } from '@holdfast/engine';
import { type Advice, diagnose } from '../../../doctor/check.ts';
import { ReplicationSession } from '../connection/replication-session.ts';
import type { ServerAddress } from '../connection/server-address.ts';
import { sqlStateOf } from '../connection/server-error.ts';
import { postgresChecks } from './doctor.ts';
import { examineServer } from './server-health.ts';

/**
 * A replication connection. When the server refuses one, whatever a doctor would find is asked for at once: the failure says
 * what is missing and what to paste.
 */
export async function openSession(address: ServerAddress, signal: AbortSignal): Promise<ReplicationSession> {
  try {
    return await ReplicationSession.open(address, { signal });
  } catch (error) {
    if (!isFailure(error) || !EXPLAINABLE.has(sqlStateOf(error) ?? '')) throw error;
    throw await explained(error, address, signal);
  }
}

async function explained(failure: Failure, address: ServerAddress, signal: AbortSignal): Promise<Failure> {
  try {
    const health = await examineServer(address, signal);
    const { advice } = diagnose(health.server, postgresChecks, health);
    const errors = advice.filter(({ severity }) => severity === 'error');
    const [first] = errors;
    if (first === undefined) return failure;
    return new Failure(failure.code, first.message, {
      subject: health.server,
      hint: errors.flatMap(pasteable).join('\n'),
      cause: failure.cause,
    });
  } catch {
    signal.throwIfAborted();
    // The server was just asked, and refused; that it cannot be asked for more changes nothing about that.
    return failure;
  }
}

function pasteable({ fix, fixIn, hint }: Advice): string[] {
  return [
    ...(fix === undefined ? [] : [`In ${fixIn}:`, ...fix.map((line) => `  ${line}`)]),
    ...(hint === undefined ? [] : [hint]),
  ];
}

/** invalid_authorization_specification, insufficient_privilege, too_many_connections. A wrong password explains itself. */
const EXPLAINABLE = new Set(['28000', '42501', '53300']);
