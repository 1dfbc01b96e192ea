import { isFailure } from '@holdfast/engine';
import type { Client } from 'pg';
import type { BaseRecord } from '../base/base-record.ts';
import type { ServerAddress } from '../connection/server-address.ts';
import { sqlStateOf } from '../connection/server-error.ts';
import { withSql } from '../connection/sql.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { type DatabaseFacts, listDatabases, readDatabase } from './database-facts.ts';

/** What is worth knowing of a server and can only be asked by SQL. */
export interface ServerKnowledge {
  readonly databases: readonly DatabaseFacts[];
  readonly configuration: Configuration;
  readonly standby: boolean;
  /** Unknown before 15. */
  readonly resourceManagers?: BaseRecord['resourceManagers'];
}

/**
 * Undefined when this role may not log in for SQL; a database that it cannot enter is told without what is inside.
 */
export async function learnServer(
  address: ServerAddress,
  signal: AbortSignal,
): Promise<ServerKnowledge | undefined> {
  const known = await unlessFailed(signal, () => withSql(address, signal, learn));
  if (known === undefined) return undefined;
  const databases: DatabaseFacts[] = [];
  for (const database of known.databases) {
    const there = { ...address, database: database.name };
    const inside = await unlessFailed(signal, () => withSql(there, signal, readDatabase));
    databases.push({ ...database, ...inside });
  }
  return { ...known, databases };
}

async function learn(client: Client): Promise<ServerKnowledge> {
  const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
  const resourceManagers = await customResourceManagers(client);
  return {
    databases: await listDatabases(client),
    configuration: await readConfiguration(client),
    standby: rows[0]?.standby === true,
    ...(resourceManagers === undefined ? {} : { resourceManagers }),
  };
}

async function customResourceManagers(client: Client): Promise<string[] | undefined> {
  try {
    const { rows } = await client.query<{ name: string }>(
      'SELECT rm_name AS name FROM pg_get_wal_resource_managers() WHERE NOT rm_builtin ORDER BY rm_id',
    );
    return rows.map(({ name }) => name);
  } catch (error) {
    // There is no such function before 15.
    if (sqlStateOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Whatever goes wrong here, a catalog that is damaged included, is no reason to have no base. */
async function unlessFailed<Answer>(
  signal: AbortSignal,
  ask: () => Promise<Answer>,
): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isFailure(error) && !signal.aborted) return undefined;
    throw error;
  }
}
