import type { Client } from 'pg';
import { identifier, literal } from '../connection/replication-session.ts';
import { qualified, type RelationName, relationText } from './relation-name.ts';
import type { Statement } from './statement.ts';

/** A type that somebody made and that a column needs. */
export interface TypeFacts extends RelationName {
  /** pg_type.typtype: e(num), d(omain), c(omposite), r(ange) …; t for the rows of a table. */
  readonly kind: string;
  readonly owner: string;
  /** What brings it; then CREATE EXTENSION is the way to it. */
  readonly extension: string | null;
  readonly comment: string | null;
  /** Of an enum, in its order. */
  readonly labels: readonly string[];
  /** Of a domain. */
  readonly base: string | null;
  readonly collation: string | null;
  readonly default: string | null;
  readonly notNull: boolean;
  readonly checks: readonly { readonly name: string; readonly definition: string }[];
  /** Of a composite type. */
  readonly attributes: readonly { readonly name: string; readonly type: string }[];
}

/** Deepest first: what a domain, an array, a composite or a range is made of comes before it. */
const TYPES = `
  WITH RECURSIVE needed (oid, depth) AS (
    SELECT a.atttypid, 0 FROM pg_attribute a WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
    UNION
    SELECT below.oid, needed.depth + 1 FROM needed JOIN pg_type t ON t.oid = needed.oid
      CROSS JOIN LATERAL (
        SELECT t.typelem AS oid WHERE t.typelem <> 0
        UNION ALL SELECT t.typbasetype WHERE t.typbasetype <> 0
        UNION ALL SELECT a.atttypid FROM pg_attribute a
          WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid) AS below
    WHERE needed.depth < 32)
  SELECT n.nspname AS schema, t.typname AS name,
    CASE WHEN r.relkind IN ('r', 'p') THEN 't' ELSE t.typtype END AS kind, pg_get_userbyid(t.typowner) AS owner,
    (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
     WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e') AS extension,
    obj_description(t.oid, 'pg_type') AS comment,
    (SELECT coalesce(json_agg(l.enumlabel ORDER BY l.enumsortorder), '[]') FROM pg_enum l WHERE l.enumtypid = t.oid) AS labels,
    CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END AS base,
    (SELECT format('%I.%I', cn.nspname, c.collname) FROM pg_collation c JOIN pg_namespace cn ON cn.oid = c.collnamespace
       JOIN pg_type b ON b.oid = t.typbasetype WHERE c.oid = t.typcollation AND t.typcollation <> b.typcollation) AS collation,
    CASE WHEN t.typtype = 'd' THEN pg_get_expr(t.typdefaultbin, 0) END AS "default", t.typnotnull AS "notNull",
    (SELECT coalesce(json_agg(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid)) ORDER BY k.conname), '[]')
     FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c') AS checks,
    (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum), '[]')
     FROM pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS attributes
  FROM (SELECT oid, max(depth) AS depth FROM needed GROUP BY oid) AS needed JOIN pg_type t ON t.oid = needed.oid
    JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class r ON r.oid = t.typrelid
  WHERE t.oid >= 16384 AND t.typcategory <> 'A' ORDER BY needed.depth DESC, n.nspname, t.typname`;

/** The types that the columns of these tables need and that PostgreSQL does not have by itself. */
export async function readTypes(client: Client, oids: readonly number[]): Promise<TypeFacts[]> {
  return (await client.query<TypeFacts>(TYPES, [oids])).rows;
}

/** What makes a type again; undefined where that cannot be said in SQL that is safe to guess. */
export function createType(type: TypeFacts): Statement[] | undefined {
  const name = qualified(type);
  const create = definitionOf(type);
  if (create === undefined || type.extension !== null) return undefined;
  const what = `type ${relationText(type)}`;
  const object = type.kind === 'd' ? 'DOMAIN' : 'TYPE';
  return [
    { what, sql: create },
    ...(type.comment === null
      ? []
      : [{ what, sql: `COMMENT ON ${object} ${name} IS ${literal(type.comment)}` }]),
    {
      what: `owner of ${what}`,
      sql: `ALTER ${object} ${name} OWNER TO ${identifier(type.owner)}`,
      soft: true,
    },
  ];
}

function definitionOf(type: TypeFacts): string | undefined {
  const name = qualified(type);
  if (type.kind === 'e') return `CREATE TYPE ${name} AS ENUM (${type.labels.map(literal).join(', ')})`;
  if (type.kind === 'c') {
    return `CREATE TYPE ${name} AS (${type.attributes.map((one) => `${identifier(one.name)} ${one.type}`).join(', ')})`;
  }
  if (type.kind !== 'd' || type.base === null) return undefined;
  return [
    `CREATE DOMAIN ${name} AS ${type.base}`,
    ...(type.collation === null ? [] : [`COLLATE ${type.collation}`]),
    ...(type.default === null ? [] : [`DEFAULT ${type.default}`]),
    ...(type.notNull ? ['NOT NULL'] : []),
    ...type.checks.map((check) => `CONSTRAINT ${identifier(check.name)} ${check.definition}`),
  ].join(' ');
}
