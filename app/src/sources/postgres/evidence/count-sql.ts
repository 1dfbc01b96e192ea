import { identifier, literal } from '../connection/replication-session.ts';
import type { CountPlan } from './table-plan.ts';

/*
 * The questions, asked with the same words of the original and of the copy.
 */

/** What a row is as text depends on these; and counting must not be felt more than it needs. */
export const SESSION_SETTINGS = `
  SET search_path = pg_catalog;
  SET TimeZone = 'UTC';
  SET DateStyle = 'ISO, YMD';
  SET IntervalStyle = 'postgres';
  SET extra_float_digits = 1;
  SET bytea_output = 'hex';
  SET xmlbinary = 'base64';
  SET lc_monetary = 'C';
  SET quote_all_identifiers = off;
  SET row_security = off;
  SET max_parallel_workers_per_gather = 0;
  SET jit = off;
`;

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

export function qualified({ schema, name }: TableName): string {
  return `${identifier(schema)}.${identifier(name)}`;
}

/** Tables with content in a physical copy, those of partitioned and inherited tables one by one; the smallest first. */
export const LIST_TABLES = `
  SELECT n.nspname AS schema, c.relname AS name, c.oid::text AS oid, c.relfilenode::text AS file,
         c.relpersistence = 'u' AS unlogged, c.relkind = 'f' AS "foreign",
         c.relrowsecurity AS secured
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE (c.relkind IN ('r', 'f') OR (c.relkind = 'm' AND c.relispopulated)) AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  ORDER BY c.relpages, n.nspname, c.relname
`;

/** With the table's file as it is now: one that a statement has put there since the snapshot holds other rows. */
export function countSql(
  table: TableName & { readonly oid?: string },
  plan: CountPlan,
  aggregates: readonly string[],
) {
  const { content, sample } = plan;
  const row = 'textin(record_out(holdfast_row.*)) COLLATE "C"';
  const columns = [
    'count(*)::text AS rows',
    ...(content ? [`coalesce(sum(hashtextextended(${row}, 0)), 0)::text AS content`] : []),
    ...aggregates.map((sql, at) => `(${sql})::text AS aggregate_${at}`),
    ...(table.oid === undefined
      ? []
      : [`pg_relation_filenode(${literal(table.oid)}::regclass)::text AS file`]),
  ];
  const some =
    sample === undefined ? '' : ` TABLESAMPLE SYSTEM (${sample.percent}) REPEATABLE (${sample.seed})`;
  return `SELECT ${columns.join(', ')} FROM ONLY ${qualified(table)} AS holdfast_row${some}`;
}

/** What the copy must have as the original had it; columns differ from version to version. */
export const DATABASE_FACTS = `
  SELECT to_jsonb(d) ->> 'datcollate' AS collate, to_jsonb(d) ->> 'datctype' AS ctype,
         to_jsonb(d) ->> 'datcollversion' AS "collationVersion",
         (SELECT coalesce(json_agg(json_build_object('name', extname, 'version', extversion) ORDER BY extname), '[]')
          FROM pg_extension) AS extensions
  FROM pg_database d WHERE datname = current_database()
`;
