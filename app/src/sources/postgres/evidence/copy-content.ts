import { isFailure } from '@holdfast/engine';
import { sqlStateOf } from '../connection/server-error.ts';
import type { FoundDatabase, FoundTable } from './comparison.ts';
import { countSql, DATABASE_FACTS, LIST_TABLES, SESSION_SETTINGS, type TableName } from './count-sql.ts';
import { type CountedTable, isCounted, type SampledDatabase } from './evidence.ts';
import type { SqlSession } from './sql-session.ts';
import { measured } from './table-counts.ts';

/** Asks a copy, which stands where the evidence was taken, what the original was asked. No time limit: it is ours alone. */
export async function readCopy(sql: SqlSession, recorded: SampledDatabase): Promise<FoundDatabase> {
  await sql.query(SESSION_SETTINGS);
  const [facts] = await sql.query<Pick<FoundDatabase, 'collate' | 'ctype' | 'extensions'>>(DATABASE_FACTS);
  const listed = await sql.query<TableName & { unlogged: boolean; foreign: boolean }>(LIST_TABLES);
  const known = new Set(recorded.tables.map(fullName));
  const tables: FoundTable[] = [];
  for (const table of recorded.tables) {
    tables.push(isCounted(table) ? await countAgain(sql, table) : undefined);
  }
  return {
    collate: facts?.collate ?? '',
    ctype: facts?.ctype ?? '',
    extensions: facts?.extensions ?? [],
    tables,
    strangers: listed
      .filter(({ unlogged, foreign }) => !unlogged && !foreign)
      .map(fullName)
      .filter((name) => !known.has(name)),
    overtaken: await overtaken(sql, recorded.inProgress ?? []),
  };
}

async function countAgain(sql: SqlSession, table: CountedTable): Promise<FoundTable> {
  const plan = {
    content: table.content !== undefined,
    ...(table.sample === undefined ? {} : { sample: table.sample }),
  };
  const aggregates = Object.keys(table.aggregates ?? {});
  try {
    const [row] = await sql.query<Record<string, string | null>>(countSql(table, plan, aggregates));
    return measured(row ?? {}, plan, aggregates);
  } catch (error) {
    if (!isFailure(error)) throw error;
    const state = sqlStateOf(error);
    // undefined_table, invalid_schema_name.
    if (state === '42P01' || state === '3F000') return undefined;
    // undefined_file: a library of an extension that only the original's machine has.
    return { failed: error.message, here: state === '58P01' };
  }
}

/** How many of these transactions have committed in the copy: their records were written before their effects were seen. */
async function overtaken(sql: SqlSession, inProgress: readonly string[]): Promise<number> {
  const [row] = await sql.query<{ count: string }>(
    "SELECT count(*)::text AS count FROM unnest($1::bigint[]) AS xid WHERE txid_status(xid) = 'committed'",
    [inProgress],
  );
  return Number(row?.count ?? 0);
}

function fullName({ schema, name }: TableName): string {
  return `${schema}.${name}`;
}
