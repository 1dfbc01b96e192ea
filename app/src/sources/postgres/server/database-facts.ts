import { isFailure } from '@holdfast/engine';
import type { Client } from 'pg';
import type { BaseRecord } from '../base/base-record.ts';
import { logIn } from '../connection/login.ts';
import { type ServerAddress, serverName } from '../connection/server-address.ts';
import { failureFrom } from '../connection/server-error.ts';

type DatabaseFacts = NonNullable<BaseRecord['databases']>[number];

/**
 * What each database needs of the machine that it is restored on: its collation and who provides it, its extensions. A
 * role that may only replicate cannot ask; then it is unknown, which is no reason not to take a base.
 */
export async function readDatabases(
  address: ServerAddress,
  signal: AbortSignal,
): Promise<readonly DatabaseFacts[] | undefined> {
  const databases = await asked(address, signal, listDatabases);
  if (databases === undefined) return undefined;
  const facts: DatabaseFacts[] = [];
  for (const database of databases) {
    const extensions = await asked({ ...address, database: database.name }, signal, listExtensions);
    facts.push({ ...database, ...(extensions === undefined ? {} : { extensions }) });
  }
  return facts;
}

async function listDatabases(client: Client): Promise<DatabaseFacts[]> {
  // The columns differ from version to version (a provider from 15 on, its locale under two names): as JSON what is there.
  const { rows } = await client.query<{ row: Record<string, unknown> }>(
    'SELECT to_jsonb(d) AS row FROM pg_database d WHERE datallowconn ORDER BY datname',
  );
  return rows.map(({ row }) => {
    const text = (...names: string[]) =>
      names.map((name) => row[name]).find((value) => typeof value === 'string');
    const locale = text('datlocale', 'daticulocale');
    const collationVersion = text('datcollversion');
    return {
      name: text('datname') ?? '',
      collate: text('datcollate') ?? '',
      ctype: text('datctype') ?? '',
      provider: PROVIDERS[text('datlocprovider') ?? 'c'] ?? 'unknown',
      ...(locale === undefined ? {} : { locale }),
      ...(collationVersion === undefined ? {} : { collationVersion }),
    };
  });
}

/** pg_collation's letters. */
const PROVIDERS: Readonly<Record<string, string>> = { b: 'builtin', c: 'libc', i: 'icu' };

async function listExtensions(client: Client) {
  const { rows } = await client.query<{ name: string; version: string }>(
    'SELECT extname AS name, extversion AS version FROM pg_extension ORDER BY extname',
  );
  return rows;
}

/** The answer, or undefined where this role may not log in or ask. */
async function asked<Answer>(
  address: ServerAddress,
  signal: AbortSignal,
  ask: (client: Client) => Promise<Answer>,
): Promise<Answer | undefined> {
  let client: Client;
  try {
    ({ client } = await logIn(address, 'sql', signal));
  } catch (error) {
    if (REFUSALS.some((code) => isFailure(error, code))) return undefined;
    throw error;
  }
  try {
    return await ask(client);
  } catch (error) {
    throw failureFrom(error, serverName(address));
  } finally {
    await client.end();
  }
}

/** All connections for SQL may be in use while those for backups are not. */
const REFUSALS = ['source.auth', 'source.privilege', 'source.missing', 'source.unreachable'] as const;
