import { Failure, isFailure } from '@holdfast/engine';
import type { Client } from 'pg';
import { logIn } from '../connection/login.ts';
import { ReplicationSession } from '../connection/replication-session.ts';
import { type ServerAddress, serverName } from '../connection/server-address.ts';
import { failureFrom } from '../connection/server-error.ts';
import { EXAMINED_SETTINGS, type ServerHealth } from './doctor.ts';

/** Asks over both kinds of connection whatever they give. Throws only when nothing answers at all. */
export async function examineServer(address: ServerAddress, signal: AbortSignal): Promise<ServerHealth> {
  const bySql = await attempt(() => askSql(address, signal));
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
    settings,
    ...(version === undefined ? {} : { major: Math.floor(Number(version) / 10_000) }),
    ...(bySql instanceof Failure ? { sqlRefused: bySql } : {}),
    ...(byReplication instanceof Failure ? { replicationRefused: byReplication } : {}),
    ...(sql === undefined ? {} : { mayReplicate: sql.mayReplicate, mayReadAll: sql.mayReadAll }),
  };
}

async function askSql(address: ServerAddress, signal: AbortSignal) {
  const { client } = await logIn(address, 'sql', signal);
  try {
    return await ask(client);
  } catch (error) {
    throw failureFrom(error, serverName(address));
  } finally {
    await client.end();
  }
}

async function ask(client: Client) {
  const names = [...EXAMINED_SETTINGS, 'summarize_wal'];
  const settings = await client.query<{ name: string; value: string }>(
    'SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY ($1)',
    [names],
  );
  // The predefined role came with 14; asking for one that is not there would be an error.
  const role = await client.query<{ replicate: boolean; readall: boolean }>(`
    SELECT rolreplication OR rolsuper AS replicate,
           rolsuper OR EXISTS (SELECT FROM pg_roles AS predefined WHERE predefined.rolname = 'pg_read_all_data'
                               AND pg_has_role(current_user, predefined.oid, 'USAGE')) AS readall
    FROM pg_roles WHERE rolname = current_user`);
  return {
    settings: Object.fromEntries(settings.rows.map(({ name, value }) => [name, value])),
    mayReplicate: role.rows[0]?.replicate === true,
    mayReadAll: role.rows[0]?.readall === true,
  };
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
