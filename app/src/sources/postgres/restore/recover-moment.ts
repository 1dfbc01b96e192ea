import type { Clock } from '@holdfast/engine';
import { logIn } from '../connection/login.ts';
import type { ServerAddress } from '../connection/server-address.ts';
import { type Lsn, parseLsn } from '../wal/lsn.ts';
import type { Programs } from './programs.ts';
import { removeRecovery } from './recovery-files.ts';
import { type RestoredMoment, removeFetchedWal } from './restore-moment.ts';
import { startScratchServer } from './scratch-server.ts';

/** Where a server came to that replayed WAL. */
export interface RecoveryEnd {
  readonly state: 'promoted' | 'paused';
  /** The end of the last record that was replayed. */
  readonly lsn: Lsn;
  /** Milliseconds since the epoch, of the last transaction that was replayed; absent when none was. */
  readonly lastCommit?: number;
}

export interface RecoveredMoment extends RecoveryEnd {
  /** From the start of the server until it was there, milliseconds. */
  readonly took: number;
}

export interface RecoverOptions {
  readonly programs: Programs;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Starts a server on what `restoreMoment` wrote, for us alone, waits until it has recovered, and stops it again. After a
 * promotion the directory is as any server's that was shut down: neither the WAL nor our settings are needed any more, and
 * they are removed. One that is paused is paused again at its next start, with the same WAL.
 */
export async function recoverMoment(
  restored: RestoredMoment,
  { programs, clock, signal }: RecoverOptions,
): Promise<RecoveredMoment> {
  const startedAt = clock.now();
  const { directory, record } = restored;
  const server = await startScratchServer({
    programs,
    dataDirectory: directory,
    record,
    clock,
    ...(signal === undefined ? {} : { signal }),
  });
  let end: RecoveryEnd;
  let took: number;
  try {
    took = clock.now() - startedAt;
    end = await recoveryEnd(server.address);
  } finally {
    await server.stop();
  }
  if (end.state === 'promoted') {
    await removeRecovery(directory);
    await removeFetchedWal(restored);
  }
  return { ...end, took };
}

/** Asks a server that has just recovered. */
export async function recoveryEnd(address: ServerAddress): Promise<RecoveryEnd> {
  const { client } = await logIn(address, 'sql');
  try {
    const { rows } = await client.query<{ paused: boolean; lsn: string; last: number | null }>(
      'SELECT pg_is_in_recovery() AS paused, ' +
        'CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE coalesce(pg_last_wal_replay_lsn(), pg_current_wal_lsn()) END::text AS lsn, ' +
        'extract(epoch FROM pg_last_xact_replay_timestamp())::float8 * 1000 AS last',
    );
    const [row] = rows;
    if (row === undefined) throw new Error('a query without a FROM answers one row');
    return {
      state: row.paused ? 'paused' : 'promoted',
      lsn: parseLsn(row.lsn),
      ...(row.last === null ? {} : { lastCommit: row.last }),
    };
  } finally {
    await client.end();
  }
}
