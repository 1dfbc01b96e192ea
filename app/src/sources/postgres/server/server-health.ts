import { type Clock, Failure, isFailure } from '@holdfast/engine';
import type { Client } from 'pg';
import { ReplicationSession } from '../connection/replication-session.ts';
import { type ServerAddress, serverName } from '../connection/server-address.ts';
import { withSql } from '../connection/sql.ts';
import { readConfiguration } from './configuration.ts';
import { EXAMINED_SETTINGS } from './doctor.ts';
import type { ServerHealth } from './health-facts.ts';

/**
 * Asks over both kinds of connection whatever they give. Throws only when nothing answers at all. Clocks are compared
 * where one is given.
 */
export async function examineServer(
  address: ServerAddress,
  signal: AbortSignal,
  clock?: Clock,
): Promise<ServerHealth> {
  const bySql = await attempt(() => withSql(address, signal, (client) => ask(client, clock)));
  const byReplication = await attempt(() => askReplication(address, signal));
  for (const found of [bySql, byReplication]) {
    if (isFailure(found, 'source.unreachable') && bySql instanceof Failure) throw found;
  }
  const sql = bySql instanceof Failure ? undefined : bySql;
  const settings = { ...(byReplication instanceof Failure ? {} : byReplication), ...sql?.settings };
  const version = settings['server_version_num'];
  return {
    server: serverName(address),
    role: address.user,
    ...sql,
    settings,
    ...(version === undefined ? {} : { major: Math.floor(Number(version) / 10_000) }),
    ...(bySql instanceof Failure ? { sqlRefused: bySql } : {}),
    ...(byReplication instanceof Failure ? { replicationRefused: byReplication } : {}),
  };
}

type SqlHealth = Omit<ServerHealth, 'server' | 'role' | 'major'>;

async function ask(client: Client, clock: Clock | undefined): Promise<SqlHealth> {
  const names = [...EXAMINED_SETTINGS, 'summarize_wal'];
  const settings = await client.query<{ name: string; value: string }>(
    'SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY ($1)',
    [names],
  );
  return {
    settings: Object.fromEntries(settings.rows.map(({ name, value }) => [name, value])),
    ...(await askRole(client)),
    ...(await askConnection(client)),
    ...(await askRecovery(client)),
    configuration: await readConfiguration(client),
    ...(clock === undefined ? {} : await askClock(client, clock)),
  };
}

async function askRole(client: Client): Promise<Partial<SqlHealth>> {
  // The predefined role came with 14; asking for one that is not there would be an error.
  const { rows } = await client.query<{
    replicate: boolean;
    readall: boolean;
    connections: number;
    until: string | null;
  }>(`
    SELECT rolreplication OR rolsuper AS replicate,
           rolsuper OR EXISTS (SELECT FROM pg_roles AS predefined WHERE predefined.rolname = 'pg_read_all_data'
                               AND pg_has_role(current_user, predefined.oid, 'USAGE')) AS readall,
           CASE WHEN rolsuper THEN -1 ELSE rolconnlimit END AS connections,
           CASE WHEN isfinite(rolvaliduntil) THEN extract(epoch FROM rolvaliduntil) * 1000 END AS until
    FROM pg_roles WHERE rolname = current_user`);
  const [role] = rows;
  if (role === undefined) return {};
  return {
    mayReplicate: role.replicate,
    mayReadAll: role.readall,
    ...(role.connections < 0 ? {} : { connectionLimit: role.connections }),
    ...(role.until === null ? {} : { passwordUntil: Number(role.until) }),
  };
}

async function askConnection(client: Client): Promise<Partial<SqlHealth>> {
  const { rows } = await client.query<{
    address: string | null;
    encrypted: boolean | null;
    database: string;
  }>(`
    SELECT host(inet_client_addr()) AS address, current_database() AS database,
           (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS encrypted`);
  const [row] = rows;
  if (row === undefined) return {};
  const { address, encrypted, database } = row;
  return {
    connectedFrom: { encrypted: encrypted === true, database, ...(address === null ? {} : { address }) },
  };
}

async function askRecovery(client: Client): Promise<Partial<SqlHealth>> {
  const { rows } = await client.query<{ paused: boolean | null }>(
    'SELECT CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END AS paused',
  );
  const paused = rows[0]?.paused ?? null;
  const slots = await client.query<{ name: string; bytes: string }>(`
    SELECT slot_name AS name,
           greatest(0, pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
                                            ELSE pg_current_wal_lsn() END, restart_lsn)) AS bytes
    FROM pg_replication_slots WHERE NOT active AND NOT temporary AND restart_lsn IS NOT NULL ORDER BY 1`);
  return {
    ...(paused === null ? {} : { standby: { replayPaused: paused } }),
    idleSlots: slots.rows.map(({ name, bytes }) => ({ name, bytes: Number(bytes) })),
  };
}

/** Compared with the middle of the time that the question took. */
async function askClock(client: Client, clock: Clock): Promise<Partial<SqlHealth>> {
  const before = clock.now();
  const { rows } = await client.query<{ now: string }>(
    'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now',
  );
  const examinedAt = clock.now();
  return { examinedAt, clockAhead: Number(rows[0]?.now) - (before + examinedAt) / 2 };
}

async function askReplication(address: ServerAddress, signal: AbortSignal): Promise<Record<string, string>> {
  await using session = await ReplicationSession.open(address, { signal });
  const settings: Record<string, string> = {};
  for (const name of EXAMINED_SETTINGS) {
    const value = await attempt(() => session.show(name));
    if (typeof value === 'string') settings[name] = value;
  }
  // Before 17 there is no such setting, and a server logs questions for what it does not know.
  if (Number(settings['server_version_num']) >= 170_000) {
    settings['summarize_wal'] = await session.show('summarize_wal');
  }
  return settings;
}

async function attempt<Result>(work: () => Promise<Result>): Promise<Result | Failure> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}
