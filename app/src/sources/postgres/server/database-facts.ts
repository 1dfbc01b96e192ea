import type { Client } from 'pg';
import type { BaseRecord } from '../base/base-record.ts';

export type DatabaseFacts = NonNullable<BaseRecord['databases']>[number];

/** What each database needs of the machine that it is restored on: its collation and who provides it. */
export async function listDatabases(client: Client): Promise<DatabaseFacts[]> {
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
      provider: providerOf(text('datlocprovider')),
      ...(locale === undefined ? {} : { locale }),
      ...(collationVersion === undefined ? {} : { collationVersion }),
    };
  });
}

/** What can only be asked inside of a database: its extensions, its collations, and the tables that no base brings back. */
export async function readDatabase(
  client: Client,
): Promise<Pick<DatabaseFacts, 'extensions' | 'collations' | 'unloggedTables'>> {
  const extensions = await client.query<{ name: string; version: string }>(
    'SELECT extname AS name, extversion AS version FROM pg_extension ORDER BY extname',
  );
  const collations = await client.query<{ provider: string; version: string }>(`
    SELECT DISTINCT collprovider AS provider, collversion AS version FROM pg_collation
    WHERE collversion IS NOT NULL ORDER BY 1, 2`);
  const unlogged = await client.query<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class
     WHERE relpersistence = 'u' AND relkind = 'r' ORDER BY 1 LIMIT $1`,
    [MOST_TABLES],
  );
  return {
    extensions: extensions.rows,
    collations: collations.rows.map(({ provider, version }) => ({
      provider: providerOf(provider),
      version,
    })),
    ...(unlogged.rows.length === 0 ? {} : { unloggedTables: unlogged.rows.map(({ name }) => name) }),
  };
}

/** pg_collation's letters. */
const PROVIDERS: Readonly<Record<string, string>> = { b: 'builtin', c: 'libc', i: 'icu' };
const MOST_TABLES = 1000;

function providerOf(letter: string | undefined): string {
  return PROVIDERS[letter ?? 'c'] ?? 'unknown';
}
