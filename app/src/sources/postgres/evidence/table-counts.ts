import { type Clock, isFailure, type Random } from '@holdfast/engine';
import { identifier, literal } from '../connection/replication-session.ts';
import { sqlStateOf } from '../connection/server-error.ts';
import { countSql, LIST_TABLES } from './count-sql.ts';
import type { CountedTable, SampledDatabase, TableEvidence, UncountedTable } from './evidence.ts';
import type { SqlSession } from './sql-session.ts';
import { type CountLimits, type CountPlan, planCount } from './table-plan.ts';

interface ListedTable {
  readonly schema: string;
  readonly name: string;
  readonly oid: string;
  /** Its file as of the snapshot; 0 for none. */
  readonly file: string;
  readonly unlogged: boolean;
  readonly foreign: boolean;
  /** Row level security is on. */
  readonly secured: boolean;
}

export interface CountOptions {
  /** Of the server. */
  readonly major: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: CountLimits;
  readonly aggregates?: ReadonlyMap<string, readonly string[]>;
  readonly signal: AbortSignal;
  readonly onTable?: (database: string, table: string) => void | Promise<void>;
}

/**
 * Counts the tables that the session's transaction sees, until `deadline`. Each in a savepoint that is gone afterwards, so
 * that a table which cannot be counted does not end the transaction, and no lock stays longer than its count.
 */
export async function countTables(
  sql: SqlSession,
  database: string,
  deadline: number,
  options: CountOptions,
): Promise<Pick<SampledDatabase, 'tables' | 'leftOut'>> {
  const listed = await sql.query<ListedTable>(LIST_TABLES);
  const tables: TableEvidence[] = [];
  await sql.query('SAVEPOINT holdfast_table');
  for (const table of listed) {
    if (table.unlogged || table.foreign) continue;
    await options.onTable?.(database, `${table.schema}.${table.name}`);
    const left = deadline - options.clock.now();
    tables.push(left > 0 ? await countTable(sql, database, table, left, options) : noTimeLeft(table));
  }
  const leftOut = {
    unlogged: listed.filter(({ unlogged }) => unlogged).length,
    foreign: listed.filter((table) => table.foreign).length,
  };
  return { tables, leftOut };
}

async function countTable(
  sql: SqlSession,
  database: string,
  table: ListedTable,
  left: number,
  options: CountOptions,
): Promise<TableEvidence> {
  const { limits, random, signal } = options;
  const aggregates = options.aggregates?.get(`${database}.${table.schema}.${table.name}`) ?? [];
  const time = Math.ceil(Math.min(left, limits.tableTime));
  let outcome: TableEvidence = noTimeLeft(table);
  let plans: CountPlan[] | undefined;
  for (;;) {
    try {
      await sql.query(
        `SET LOCAL statement_timeout = ${time}; SET LOCAL lock_timeout = ${Math.ceil(Math.min(time / 2, LOCK_TIME))}`,
      );
      plans ??= planCount(await sizeOf(sql, table), limits, random);
      const plan = plans.shift();
      if (plan === undefined) return outcome;
      outcome = await ask(sql, table, plan, aggregates);
      return outcome;
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error) || error.code === 'source.unreachable') throw error;
      outcome = unknownTable(table, error, time, { user: sql.address.user, major: options.major });
      if (sqlStateOf(error) !== QUERY_CANCELED || plans === undefined) return outcome;
    } finally {
      if (!signal.aborted) await sql.query('ROLLBACK TO SAVEPOINT holdfast_table').catch(() => undefined);
    }
  }
}

async function sizeOf(sql: SqlSession, { oid }: ListedTable): Promise<number> {
  const [row] = await sql.query<{ bytes: string | null }>(
    `SELECT pg_table_size(${literal(oid)}::regclass) AS bytes`,
  );
  return Number(row?.bytes ?? 0);
}

async function ask(
  sql: SqlSession,
  table: ListedTable,
  plan: CountPlan,
  aggregates: readonly string[],
): Promise<TableEvidence> {
  const { schema, name } = table;
  const [row] = await sql.query<Record<string, string | null>>(countSql(table, plan, aggregates));
  if (row?.['file'] !== table.file) {
    return {
      schema,
      name,
      unknown: 'rewritten',
      message: 'a TRUNCATE, ALTER TABLE or VACUUM FULL gave it another file while it was to be counted',
    };
  }
  return { schema, name, ...measured(row, plan, aggregates) };
}

/** A row of `countSql` as it is written down. */
export function measured(
  row: Readonly<Record<string, string | null>>,
  plan: CountPlan,
  aggregates: readonly string[],
): Omit<CountedTable, 'schema' | 'name'> {
  const values = aggregates.map((sql, at) => [sql, row[`aggregate_${at}`] ?? null] as const);
  return {
    rows: row['rows'] ?? '',
    ...(plan.content ? { content: row['content'] ?? '' } : {}),
    ...(values.length === 0 ? {} : { aggregates: Object.fromEntries(values) }),
    ...(plan.sample === undefined ? {} : { sample: plan.sample }),
  };
}

function noTimeLeft({ schema, name }: ListedTable): UncountedTable {
  return { schema, name, unknown: 'time', message: 'the time for all tables was over before it was counted' };
}

function unknownTable(table: ListedTable, error: unknown, time: number, role: GrantFor): UncountedTable {
  const { schema, name } = table;
  const said = isFailure(error) ? error.message : String(error);
  switch (sqlStateOf(error)) {
    case INSUFFICIENT_PRIVILEGE:
      return table.secured
        ? {
            schema,
            name,
            unknown: 'row-security',
            message: `row level security may hide rows from the role ${role.user}`,
            hint: `${grantText(role, schema)} ALTER ROLE ${identifier(role.user)} BYPASSRLS;`,
          }
        : {
            schema,
            name,
            unknown: 'privilege',
            message: `the role ${role.user} may not read it`,
            hint: grantText(role, schema),
          };
    case QUERY_CANCELED:
      return {
        schema,
        name,
        unknown: 'time',
        message: `counting it takes more than ${(time / 1000).toPrecision(2)} s, a sample of it too`,
      };
    case LOCK_NOT_AVAILABLE:
      return { schema, name, unknown: 'locked', message: 'another session has it locked' };
    case UNDEFINED_TABLE:
      return { schema, name, unknown: 'rewritten', message: 'it was removed while it was to be counted' };
    default:
      return { schema, name, unknown: 'failed', message: said };
  }
}

interface GrantFor {
  readonly user: string;
  readonly major: number;
}

/** To be pasted by an administrator, in the database that it is about. */
function grantText({ user, major }: GrantFor, schema: string): string {
  const role = identifier(user);
  if (major >= FIRST_WITH_READ_ALL) return `GRANT pg_read_all_data TO ${role};`;
  return `GRANT USAGE ON SCHEMA ${identifier(schema)} TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA ${identifier(schema)} TO ${role};`;
}

const [INSUFFICIENT_PRIVILEGE, QUERY_CANCELED, LOCK_NOT_AVAILABLE, UNDEFINED_TABLE] = [
  '42501',
  '57014',
  '55P03',
  '42P01',
];
const FIRST_WITH_READ_ALL = 14;
/** Milliseconds: whoever waits behind us for a lock waits as long. */
const LOCK_TIME = 2000;
