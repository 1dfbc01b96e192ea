import { type Finding, isFailure } from '@holdfast/engine';
import type { ServerAddress } from '../connection/server-address.ts';
import { SqlSession } from './sql-session.ts';

export interface StructureVerdict {
  readonly indexes: number;
  /** Tables whose pages and rows were looked at; absent before PostgreSQL 14. */
  readonly tables?: number;
  readonly findings: readonly Finding[];
}

/**
 * Looks with PostgreSQL's own amcheck whether every B-tree index is in order and has every row of its table, and (from 14
 * on) whether the rows of every table hang together. Undefined where the server comes without it. Needs a server that
 * takes writes.
 */
export async function checkStructure(
  server: ServerAddress,
  major: number,
  signal: AbortSignal,
): Promise<StructureVerdict | undefined> {
  const findings: Finding[] = [];
  const names = await inDatabase(server, signal, (sql) =>
    sql.query<{ name: string; there: boolean }>(
      `SELECT datname AS name, EXISTS (SELECT FROM pg_available_extensions WHERE name = 'amcheck') AS there
       FROM pg_database WHERE datallowconn ORDER BY datname`,
    ),
  );
  if (!names.every(({ there }) => there)) return undefined;
  let indexes = 0;
  let tables = 0;
  for (const { name } of names) {
    await inDatabase({ ...server, database: name }, signal, async (sql) => {
      // Names are told with their schemas then.
      await sql.query('CREATE EXTENSION IF NOT EXISTS amcheck; SET search_path = pg_catalog');
      const [home] = await sql.query<{ schema: string }>(HOME);
      const schema = home?.schema ?? '';
      for (const { oid, relation } of await sql.query<Relation>(INDEXES)) {
        indexes += 1;
        await sql
          .query(`SELECT ${schema}.bt_index_check($1::regclass, true)`, [oid])
          .catch((error: unknown) => {
            findings.push(damaged('index.damaged', `${name}: ${relation}`, error));
          });
      }
      if (major < FIRST_WITH_HEAP) return;
      for (const { oid, relation } of await sql.query<Relation>(TABLES)) {
        tables += 1;
        const wrong = await sql
          .query<{ block: string; msg: string }>(heap(schema), [oid])
          .catch((error: unknown) => {
            findings.push(damaged('table.damaged', `${name}: ${relation}`, error));
            return [];
          });
        for (const { block, msg } of wrong) {
          findings.push(finding('table.damaged', `${name}: ${relation}`, `page ${block}: ${msg}`));
        }
      }
    });
  }
  return { indexes, ...(major < FIRST_WITH_HEAP ? {} : { tables }), findings };
}

interface Relation {
  readonly oid: string;
  readonly relation: string;
}

async function inDatabase<Answer>(
  address: ServerAddress,
  signal: AbortSignal,
  ask: (sql: SqlSession) => Promise<Answer>,
): Promise<Answer> {
  await using sql = await SqlSession.open(address, signal);
  return await ask(sql);
}

function damaged(code: string, subject: string, error: unknown): Finding {
  if (!isFailure(error) || error.code === 'source.unreachable') throw error;
  return finding(code, subject, error.message);
}

function finding(code: string, subject: string, message: string): Finding {
  return {
    severity: 'error',
    code,
    subject,
    message,
    hint:
      code === 'index.damaged'
        ? 'Damaged on the original too? Ask it with amcheck. Or does this machine sort text otherwise (another libc or ICU)?'
        : 'Damaged on the original too? Ask it with amcheck: then older bases may have it whole.',
  };
}

const INDEXES = `
  SELECT c.oid::text AS oid, c.oid::regclass::text AS relation
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
  WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence = 'p' AND i.indisready AND i.indisvalid
  ORDER BY c.oid
`;
const TABLES = `
  SELECT c.oid::text AS oid, c.oid::regclass::text AS relation FROM pg_class c JOIN pg_am a ON a.oid = c.relam
  WHERE a.amname = 'heap' AND c.relkind IN ('r', 'm') AND c.relpersistence = 'p' ORDER BY c.oid
`;
/** Somebody may have put it elsewhere before us. */
const HOME = `
  SELECT quote_ident(nspname) AS schema FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
  WHERE extname = 'amcheck'
`;
const heap = (schema: string) =>
  `SELECT blkno::text AS block, msg FROM ${schema}.verify_heapam($1::regclass, check_toast => true) LIMIT 3`;
const FIRST_WITH_HEAP = 14;
