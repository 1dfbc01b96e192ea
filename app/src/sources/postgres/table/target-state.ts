import type { Client } from 'pg';
import { countRows, readIncomingKeys, readTables } from './read-tables.ts';
import { qualified, type RelationName } from './relation-name.ts';
import type { IncomingKey, TableFacts } from './table-facts.ts';

/** A table of today that has the name of one that comes. */
export interface ExistingTable {
  readonly facts: TableFacts;
  readonly rows: number;
  readonly mayOwn: boolean;
  readonly maySelect: boolean;
  readonly mayInsert: boolean;
  readonly mayTruncate: boolean;
}

/** What a plan has to know of the running database. */
export interface TargetState {
  readonly major: number;
  readonly encoding: string;
  readonly database: string;
  readonly role: string;
  readonly mayCreateSchemas: boolean;
  readonly mayUseTemporary: boolean;
  /** Whether the role may make tables in them; those that there are. */
  readonly schemas: ReadonlyMap<string, boolean>;
  /** Names of relations and types of the schemas that were asked for. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
  /** By qualified name; what has such a name and is no table is in `names` alone. */
  readonly tables: ReadonlyMap<string, ExistingTable>;
  /** Foreign keys of other tables into those, and whether the role may take them off. */
  readonly incoming: readonly (IncomingKey & { readonly mayOwn: boolean })[];
  /** Of the relations asked for, those that there are, by qualified name, and whether the role owns them. */
  readonly relations: ReadonlyMap<string, boolean>;
  /** Labels of the types that somebody made, by qualified name; none for what is no enum. */
  readonly types: ReadonlyMap<string, readonly string[]>;
  readonly collations: ReadonlySet<string>;
}

export interface StateRequest {
  /** Where the tables are to be. */
  readonly tables: readonly RelationName[];
  /** Whatever else the plan asks for. */
  readonly relations: readonly RelationName[];
  readonly schemas: readonly string[];
}

/** Reads only, and locks nothing. The session's search path must be empty. */
export async function readTargetState(client: Client, request: StateRequest): Promise<TargetState> {
  const ask = async <Row extends object>(sql: string, values: unknown[] = []) =>
    (await client.query<Row>(sql, values)).rows;
  const [server] = await ask<Server>(SERVER);
  if (server === undefined) throw new Error('a SELECT without FROM gave no row');
  const schemas = await ask<{ name: string; create: boolean }>(SCHEMAS, [request.schemas]);
  const names = await ask<RelationName>(NAMES, [request.schemas]);
  const found = await ask<Found>(FOUND, namesOf([...request.tables, ...request.relations]));
  const wanted = new Set(request.tables.map(qualified));
  const existing = found.filter((one) => wanted.has(qualified(one)) && 'rp'.includes(one.kind));
  const oids = existing.map(({ oid }) => oid);
  const facts = new Map((await readTables(client, oids)).map((table) => [table.oid, table]));
  const tables = new Map<string, ExistingTable>();
  for (const one of existing) {
    const table = facts.get(one.oid);
    if (table === undefined) continue;
    const rows = one.maySelect ? await countRows(client, table) : 0;
    tables.set(qualified(one), { ...one, facts: table, rows });
  }
  const owned = new Map(found.map((one) => [qualified(one), one.mayOwn]));
  const incoming = await readIncomingKeys(client, oids);
  for (const one of await ask<Found>(FOUND, namesOf(incoming.map(({ from }) => from)))) {
    owned.set(qualified(one), one.mayOwn);
  }
  const types = await ask<RelationName & { labels: string[] }>(TYPES);
  return {
    ...server,
    schemas: new Map(schemas.map(({ name, create }) => [name, create])),
    names: new Map(
      [...Map.groupBy(names, ({ schema }) => schema)].map(([schema, list]) => [
        schema,
        new Set(list.map(({ name }) => name)),
      ]),
    ),
    tables,
    incoming: incoming.map((key) => ({ ...key, mayOwn: owned.get(qualified(key.from)) === true })),
    relations: owned,
    types: new Map(types.map((type) => [qualified(type), type.labels])),
    collations: new Set((await ask<{ name: string }>(COLLATIONS)).map(({ name }) => name)),
  };
}

interface Server {
  readonly major: number;
  readonly encoding: string;
  readonly database: string;
  readonly role: string;
  readonly mayCreateSchemas: boolean;
  readonly mayUseTemporary: boolean;
}

interface Found extends RelationName {
  readonly oid: number;
  readonly kind: string;
  readonly mayOwn: boolean;
  readonly maySelect: boolean;
  readonly mayInsert: boolean;
  readonly mayTruncate: boolean;
}

const SERVER = `
  SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('server_encoding') AS encoding,
    current_database() AS database, current_user AS role,
    has_database_privilege(current_database(), 'CREATE') AS "mayCreateSchemas",
    has_database_privilege(current_database(), 'TEMPORARY') AS "mayUseTemporary"`;

const SCHEMAS = `
  SELECT nspname AS name, has_schema_privilege(oid, 'CREATE') AS "create" FROM pg_namespace WHERE nspname = ANY ($1)`;

/** A table makes a type of its own name, so types are in the way as well. */
const NAMES = `
  SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY ($1)
  UNION
  SELECT n.nspname, t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE n.nspname = ANY ($1) AND t.typcategory <> 'A'`;

const FOUND = `
  SELECT n.nspname AS schema, c.relname AS name, c.oid, c.relkind AS kind, pg_has_role(c.relowner, 'USAGE') AS "mayOwn",
    has_table_privilege(c.oid, 'SELECT') AS "maySelect", has_table_privilege(c.oid, 'INSERT') AS "mayInsert",
    has_table_privilege(c.oid, 'TRUNCATE') AS "mayTruncate"
  FROM unnest($1::text[], $2::text[]) AS wanted (schema, name)
    JOIN pg_namespace n ON n.nspname = wanted.schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')`;

const TYPES = `
  SELECT n.nspname AS schema, t.typname AS name,
    (SELECT coalesce(json_agg(l.enumlabel ORDER BY l.enumsortorder), '[]') FROM pg_enum l WHERE l.enumtypid = t.oid) AS labels
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid >= 16384 AND t.typcategory <> 'A'`;

const COLLATIONS = `
  SELECT format('%I.%I', n.nspname, c.collname) AS name FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace`;

function namesOf(relations: readonly RelationName[]): [string[], string[]] {
  return [relations.map(({ schema }) => schema), relations.map(({ name }) => name)];
}
