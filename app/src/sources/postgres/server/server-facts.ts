import { Failure } from '@holdfast/engine';
import type { ReplicationSession } from '../connection/replication-session.ts';
import { sqlStateOf } from '../connection/server-error.ts';

/**
 * What has to be known of a server to start its data elsewhere. A server in recovery refuses settings smaller than those
 * of the server whose WAL it reads; the others say what must be installed.
 */
export const RECORDED_SETTINGS = [
  'server_version',
  'server_version_num',
  'server_encoding',
  'data_checksums',
  'wal_segment_size',
  'wal_level',
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
  'shared_preload_libraries',
  'data_directory_mode',
  'lc_messages',
] as const;

export interface ServerFacts {
  readonly major: number;
  readonly settings: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly segmentBytes: number;
  readonly checksums: boolean;
}

/** Asks over the replication connection, which needs no database and no grant. */
export async function readFacts(session: ReplicationSession): Promise<ServerFacts> {
  const settings: Record<string, string> = {};
  for (const name of RECORDED_SETTINGS) {
    const value = await showIfAllowed(session, name);
    if (value !== undefined) settings[name] = value;
  }
  const major = Math.floor(Number(settings['server_version_num']) / 10_000);
  if (major < OLDEST) {
    throw new Failure('source.unsupported', `the server is PostgreSQL ${settings['server_version']}`, {
      hint: `Base backups are taken from PostgreSQL ${OLDEST} on; use pg_dump and holdfast files backup for older ones.`,
    });
  }
  return {
    major,
    settings,
    segmentBytes: parseBytes(settings['wal_segment_size'] ?? ''),
    checksums: settings['data_checksums'] === 'on',
  };
}

/** Some settings are only for roles that may read all of them, and older servers do not have every one. */
async function showIfAllowed(session: ReplicationSession, name: string): Promise<string | undefined> {
  try {
    return await session.show(name);
  } catch (error) {
    if (UNREADABLE.includes(sqlStateOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** insufficient_privilege, undefined_object. */
const UNREADABLE = ['42501', '42704'];
const OLDEST = 12;
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 2 ** 10,
  MB: 2 ** 20,
  GB: 2 ** 30,
  TB: 2 ** 40,
};

/** Reads an amount as SHOW prints it: `16MB`. */
export function parseBytes(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([kMGT]?B)?$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (digits === '' || factor === undefined) {
    throw new Failure('source.unsupported', `the server shows an amount as "${text}"`);
  }
  return Number(digits) * factor;
}
