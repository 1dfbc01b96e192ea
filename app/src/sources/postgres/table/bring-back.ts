import { type Clock, Failure, type Finding } from '@holdfast/engine';
import type { Client } from 'pg';
import { identifier } from '../connection/replication-session.ts';
import type { ServerAddress } from '../connection/server-address.ts';
import { sqlStateOf } from '../connection/server-error.ts';
import { copyRows } from './copy-rows.ts';
import { countRows } from './read-tables.ts';
import { qualified, type RelationName, relationText } from './relation-name.ts';
import type { Statement } from './statement.ts';
import type { CopyStep, TableStep, TablesPlan } from './table-plan.ts';
import { targetFailure } from './target-failure.ts';

export interface BringBackOptions {
  /** The server of then, and the running one; both logged in, both used by nobody else. */
  readonly source: Client;
  readonly target: Client;
  readonly address: ServerAddress;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onBytes?: (bytes: number) => void;
  /** Called when a table begins. */
  readonly onTable?: (step: TableStep) => void;
}

export interface BroughtTable {
  readonly from: RelationName;
  readonly to: RelationName;
  readonly action: TableStep['action'];
  /** Rows of then, as counted on the server of then. */
  readonly rows: number;
  /** Rows that were put into the table. */
  readonly inserted: number;
  /** Rows in the table when the transaction ended. */
  readonly counted: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly took: number;
}

export interface BroughtBack {
  readonly tables: readonly BroughtTable[];
  /** What could not be brought although it was tried. */
  readonly findings: readonly Finding[];
  /** Milliseconds, from the beginning of the transaction to its commit. */
  readonly took: number;
}

/**
 * Does what a plan says, in one transaction on the target: whatever happens before its commit, a lost connection included,
 * nothing was changed. Every row is counted by both sides; where they do not agree all is undone.
 */
export async function bringBack(plan: TablesPlan, options: BringBackOptions): Promise<BroughtBack> {
  const { target, clock, signal, address } = options;
  const startedAt = clock.now();
  const findings: Finding[] = [];
  const tables: BroughtTable[] = [];
  // The server notices a connection that is gone, and undoes what it had begun.
  const abort = () => (target as unknown as WithStream).connection.stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  const run = async (statement: Statement) => {
    signal.throwIfAborted();
    const finding = await runStatement(target, statement, address);
    if (finding !== undefined) findings.push(finding);
  };
  try {
    signal.throwIfAborted();
    await guarded(address, 'beginning the transaction', () => target.query(BEGIN));
    for (const statement of plan.before) await run(statement);
    for (const step of plan.steps) tables.push(await fillTable(step, options));
    for (const statement of plan.after) await run(statement);
    const counted = await countAll(plan, tables, options);
    await guarded(address, 'the commit', () => target.query('COMMIT'));
    return { tables: counted, findings, took: clock.now() - startedAt };
  } catch (error) {
    signal.throwIfAborted();
    // A connection that is lost has undone it already.
    await target.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

interface WithStream {
  readonly connection: { readonly stream: { destroy(): void } };
}

/**
 * `row_security` off makes policies an error instead of rows that are not seen; a lock that is not had in a minute would
 * make everybody else wait behind us. Functions of the database may need the search path that they are used to.
 */
const BEGIN = `
  RESET search_path; BEGIN; SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0; SET LOCAL row_security = off;
  SET LOCAL idle_in_transaction_session_timeout = 0`;

async function runStatement(
  target: Client,
  { sql, what, soft, instead }: Statement,
  address: ServerAddress,
): Promise<Finding | undefined> {
  if (soft !== true) {
    await guarded(address, what, () => target.query(sql));
    return undefined;
  }
  await guarded(address, what, () => target.query('SAVEPOINT holdfast'));
  try {
    await target.query(sql);
    await target.query('RELEASE SAVEPOINT holdfast');
    return undefined;
  } catch (error) {
    const state = sqlStateOf(error);
    if (state === undefined || FATAL.test(state)) throw targetFailure(error, what, address);
    await guarded(address, what, () => target.query('ROLLBACK TO SAVEPOINT holdfast'));
    const said = (error as Error).message;
    if (instead === undefined || !UNMET.test(state)) return notBrought(what, said, sql);
    const worse = await runStatement(target, { what, sql: instead.sql, soft: true }, address);
    return worse ?? notValidated(what, said, instead.later);
  }
}

/** Lost connections, lack of resources, cancelled: not what one statement could be spared for. */
const FATAL = /^(08|53|57|58|XX)/;
/** integrity_constraint_violation: rows, not the key itself. */
const UNMET = /^23/;

function notBrought(what: string, said: string, sql: string): Finding {
  return {
    severity: 'warning',
    code: 'table.not-brought',
    subject: what,
    message: `could not be brought: ${said}`,
    hint: `${sql};`,
  };
}

function notValidated(what: string, said: string, later: string): Finding {
  return {
    severity: 'warning',
    code: 'table.not-validated',
    subject: what,
    message: `holds for new rows only, since some that are there do not meet it: ${said}`,
    hint: `When they do: ${later}`,
  };
}

async function fillTable(step: TableStep, options: BringBackOptions): Promise<BroughtTable> {
  const { clock, target, address, onTable } = options;
  const startedAt = clock.now();
  onTable?.(step);
  let bytes = 0;
  let inserted = 0;
  const staging: RelationName = { schema: 'pg_temp', name: 'holdfast_rows' };
  const staged = step.action === 'add';
  if (staged) await stage(step, staging, options);
  for (const copy of step.copies) {
    const copied = await copyTable(staged ? { ...copy, to: staging } : copy, options);
    bytes += copied.bytes;
    inserted += copied.taken;
  }
  if (staged) {
    inserted = await guarded(address, `inserting rows into ${relationText(step.to)}`, () =>
      addMissing(step, staging, target),
    );
  }
  const { from, to, action, rows } = step;
  return { from, to, action, rows, inserted, counted: 0, bytes, took: clock.now() - startedAt };
}

async function copyTable(copy: CopyStep, { source, target, address, signal, onBytes }: BringBackOptions) {
  const what = `rows of ${relationText(copy.from)}`;
  const columns = copy.columns.length === 0 ? '' : ` (${copy.columns.map(identifier).join(', ')})`;
  // Values in binary form are in the encoding of the connection, whatever COPY is told.
  const format = `WITH (FORMAT ${copy.format}${copy.format === 'text' ? `, ENCODING '${copy.encoding}'` : ''})`;
  const copied = await guarded(address, what, () =>
    copyRows(source, target, {
      out: `COPY ${qualified(copy.from)}${columns} TO STDOUT ${format}`,
      in: `COPY ${qualified(copy.to)}${columns} FROM STDIN ${format}`,
      signal,
      onBytes: (bytes) => onBytes?.(bytes),
    }),
  );
  if (copied.sent === copy.rows && copied.taken === copy.rows) return copied;
  throw miscounted(copy.from, `${copied.sent} were sent and ${copied.taken} taken`, copy.rows);
}

/** A table of its own for the rows of then, gone with the transaction; it takes whatever the columns of today take. */
async function stage(
  { to, copies }: TableStep,
  staging: RelationName,
  { target, address }: BringBackOptions,
): Promise<void> {
  const columns = (copies[0]?.columns ?? []).map(identifier).join(', ');
  await guarded(address, 'a temporary table', async () => {
    await target.query(`DROP TABLE IF EXISTS ${qualified(staging)}`);
    await target.query(
      `CREATE TEMPORARY TABLE ${identifier(staging.name)} ON COMMIT DROP AS SELECT ${columns} FROM ${qualified(to)} WITH NO DATA`,
    );
  });
}

/** Rows whose key is there are never touched. A key that somebody adds meanwhile makes the insert fail, and all is undone. */
async function addMissing(step: TableStep, staging: RelationName, target: Client): Promise<number> {
  const { to, key = [], copies } = step;
  const columns = (copies[0]?.columns ?? []).map(identifier).join(', ');
  const same = key.map((name) => `there.${identifier(name)} = brought.${identifier(name)}`).join(' AND ');
  const exists = `EXISTS (SELECT FROM ${qualified(to)} AS there WHERE ${same})`;
  await target.query(`ANALYZE ${qualified(staging)}`);
  const { rows } = await target.query<{ there: string; missing: string }>(
    `SELECT count(*) FILTER (WHERE ${exists}) AS there, count(*) FILTER (WHERE NOT ${exists}) AS missing
     FROM ${qualified(staging)} AS brought`,
  );
  const { rowCount } = await target.query(
    `INSERT INTO ${qualified(to)} (${columns}) OVERRIDING SYSTEM VALUE
     SELECT ${columns} FROM ${qualified(staging)} AS brought WHERE NOT ${exists}`,
  );
  const there = Number(rows[0]?.there);
  const inserted = rowCount ?? 0;
  if (there + inserted !== step.rows || inserted !== Number(rows[0]?.missing)) {
    throw miscounted(to, `${there} are there and ${inserted} were inserted`, step.rows);
  }
  return inserted;
}

/** Counted at the end, when triggers and keys have had their say. */
async function countAll(
  plan: TablesPlan,
  tables: readonly BroughtTable[],
  { target, address }: BringBackOptions,
): Promise<BroughtTable[]> {
  const counted: BroughtTable[] = [];
  for (const [at, step] of plan.steps.entries()) {
    const table = tables[at];
    if (table === undefined) continue;
    const count = await guarded(address, `counting ${relationText(step.to)}`, () =>
      countRows(target, { ...step.to, partitioned: step.partitioned }),
    );
    if (step.action !== 'add' && count !== step.rows) {
      throw miscounted(step.to, `${count} are in the table`, step.rows);
    }
    counted.push({ ...table, counted: count });
  }
  return counted;
}

function miscounted(table: RelationName, found: string, rows: number): Failure {
  return new Failure('target.write', `of ${rows} rows of ${relationText(table)} ${found}`, {
    subject: relationText(table),
    hint: 'Nothing was changed. Does a trigger or a rule of the table of today leave rows out? --as NAME brings it beside.',
  });
}

async function guarded<Result>(
  address: ServerAddress,
  what: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw targetFailure(error, what, address);
  }
}
