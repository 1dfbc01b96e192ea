import { Failure } from '@holdfast/engine';
import type { Client } from 'pg';
import { countRows, readIncomingKeys, readTables } from './read-tables.ts';
import { chooseTable, parseWantedTable, type RelationName, relationText } from './relation-name.ts';
import type { IncomingKey, TableFacts } from './table-facts.ts';
import { readTypes, type TypeFacts } from './type-facts.ts';

export interface Wanted {
  /** As typed. */
  readonly tables: readonly string[];
  /** All tables of these. */
  readonly schemas: readonly string[];
}

/** A table of then, with what it holds. */
export interface TableThen extends TableFacts {
  /** Of the table itself; none for a partitioned one, whose partitions have them. */
  readonly rows: number;
  /** Bytes on disk, with its TOAST table and without its indexes. */
  readonly bytes: number;
}

/** What is to come back, as it was then. */
export interface Selection {
  readonly database: string;
  readonly major: number;
  readonly encoding: string;
  /** Parents before what is made of them, with all partitions and children. */
  readonly tables: readonly TableThen[];
  readonly types: readonly TypeFacts[];
  readonly incoming: readonly IncomingKey[];
  /** Of the schemas asked for: what is no table. */
  readonly leftOut: readonly (RelationName & { readonly kind: string })[];
  readonly hasLargeObjects: boolean;
}

/** Finds the tables in the database of then and reads all that is to be known of them. Its search path must be empty. */
export async function readSelection(client: Client, wanted: Wanted): Promise<Selection> {
  const { rows: there } = await client.query<Relation>(RELATIONS);
  const oids = [...named(there, wanted.tables), ...ofSchemas(there, wanted.schemas)];
  if (oids.length === 0) {
    throw new Failure('snapshot.path-not-found', `there was no table in ${wanted.schemas.join(', ')} then`, {
      hint: schemasHint(there),
    });
  }
  const { rows: family } = await client.query<{ oid: number; kind: string }>(FAMILY, [oids]);
  const ours = family.filter(({ kind }) => 'rp'.includes(kind)).map(({ oid }) => oid);
  const tables: TableThen[] = [];
  for (const table of await readTables(client, ours)) {
    const { rows } = await client.query<{ bytes: string }>('SELECT pg_table_size($1::oid)::text AS bytes', [
      table.oid,
    ]);
    const count = table.partitioned ? 0 : await countRows(client, table);
    tables.push({ ...table, rows: count, bytes: Number(rows[0]?.bytes) });
  }
  const { rows: facts } =
    await client.query<Pick<Selection, 'database' | 'major' | 'encoding' | 'hasLargeObjects'>>(FACTS);
  const [fact] = facts;
  if (fact === undefined) throw new Error('a SELECT without FROM gave no row');
  const foreign = new Set(family.filter(({ kind }) => kind === 'f').map(({ oid }) => oid));
  return {
    ...fact,
    tables,
    types: await readTypes(client, ours),
    incoming: await readIncomingKeys(client, ours),
    leftOut: there.filter(
      ({ oid, kind, schema }) =>
        foreign.has(oid) || (wanted.schemas.includes(schema) && 'vmf'.includes(kind)),
    ),
  };
}

interface Relation extends RelationName {
  readonly oid: number;
  /** pg_class.relkind. */
  readonly kind: string;
}

function named(there: readonly Relation[], tables: readonly string[]): number[] {
  return tables.map((text) => {
    const found = chooseTable(parseWantedTable(text), there) as readonly Relation[];
    const [first, second] = found;
    if (first === undefined) {
      throw new Failure('snapshot.path-not-found', `there was no table ${text} then`, {
        hint: `Was it made later, or is it in another database (--database)? ${schemasHint(there)}`,
      });
    }
    if (second !== undefined) {
      throw new Failure('usage', `several schemas have a table ${text}`, {
        hint: `Say which: ${found.map(relationText).join(', ')}.`,
      });
    }
    if ('rp'.includes(first.kind)) return first.oid;
    throw new Failure('usage', `${relationText(first)} was ${kindText(first.kind)}, not a table`);
  });
}

function ofSchemas(there: readonly Relation[], schemas: readonly string[]): number[] {
  return there
    .filter(({ schema, kind }) => schemas.includes(schema) && 'rp'.includes(kind))
    .map(({ oid }) => oid);
}

function schemasHint(there: readonly Relation[]): string {
  const tables = there.filter(({ kind }) => 'rp'.includes(kind));
  const bySchema = [...Map.groupBy(tables, ({ schema }) => schema)];
  if (bySchema.length === 0) return 'This database had no tables then.';
  return `There were tables in ${bySchema.map(([schema, list]) => `${schema} (${list.length})`).join(', ')}.`;
}

/** For messages: `a view`. */
export function kindText(kind: string): string {
  return KINDS[kind] ?? 'a relation';
}

const KINDS: Readonly<Record<string, string>> = {
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
  S: 'a sequence',
};

const RELATIONS = `
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND c.relpersistence <> 't'
  ORDER BY n.nspname, c.relname`;

/** With all that is made of them, at whatever depth; a parent always before its children. */
const FAMILY = `
  WITH RECURSIVE family (oid, depth) AS (
    SELECT unnest($1::oid[]), 0
    UNION ALL SELECT i.inhrelid, family.depth + 1 FROM pg_inherits i JOIN family ON family.oid = i.inhparent)
  SELECT c.oid, c.relkind AS kind FROM (SELECT oid, max(depth) AS depth FROM family GROUP BY oid) AS f
    JOIN pg_class c ON c.oid = f.oid JOIN pg_namespace n ON n.oid = c.relnamespace
  ORDER BY f.depth, n.nspname, c.relname`;

const FACTS = `
  SELECT current_database() AS database, current_setting('server_version_num')::int / 10000 AS major,
    current_setting('server_encoding') AS encoding,
    EXISTS (SELECT FROM pg_largeobject_metadata) AS "hasLargeObjects"`;
