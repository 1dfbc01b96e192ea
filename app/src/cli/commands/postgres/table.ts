import { Failure, type Finding, type Id } from '@holdfast/engine';
import type { Command } from 'commander';
import { endRepositoryCommand, newCommand, type Work } from '../../command-frame.ts';
import type { ConsentRequest } from '../../consent.ts';
import type { Context } from '../../context.ts';
import { formatCounted } from '../../format.ts';
import { collect, parsePositive } from '../../option-values.ts';
import type { Planned } from '../../planned.ts';
import { runPlanned } from '../../planned-command.ts';
import {
  renderTablePlan,
  renderTableRestore,
  tablePlanRecords,
  tableRestoreRecords,
} from '../../render/postgres-table.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addServerOptions, type ServerOptions } from '../../server-options.ts';
import type { Style } from '../../style.ts';

export interface TableRestoreOptions extends ServerOptions {
  /** `latest`, `immediate`, a time, a position, `xid:…` or `name:…`. */
  readonly to: string;
  readonly exclusive?: true;
  /** All tables of these. */
  readonly schema?: readonly string[];
  readonly into?: string;
  readonly as?: string;
  readonly replace?: true;
  readonly onlyMissing?: true;
  /** Of then; the target's unless said otherwise. */
  readonly database?: string;
  readonly base?: string;
  readonly fromSystem?: string;
  readonly timeline?: number;
  /** Where the database of then is built for a while. */
  readonly scratch?: string;
  /** The token of the plan that is agreed to. */
  readonly consent?: string;
  readonly dryRun?: true;
  /** KiB/s. */
  readonly limitDownload?: number;
}

export interface TableRestoreRequest extends TableRestoreOptions {
  /** As SQL writes them. */
  readonly tables: readonly string[];
}

/** What happens to one table; names are for people. */
export interface PlannedTable {
  readonly from: string;
  readonly to: string;
  readonly action: 'create' | 'replace' | 'add';
  /** Of then. */
  readonly rows: number;
  /** On disk then. */
  readonly bytes: number;
  /** Absent for a table that is not there. */
  readonly rowsNow?: number;
}

export interface TableRestorePlan {
  /** The running server, and its database. */
  readonly target: string;
  readonly asked: string;
  readonly inclusive: boolean;
  /** The server that the base is of. */
  readonly server: string;
  readonly systemId: string;
  readonly base: { readonly snapshot: Id; readonly endedAt: string };
  /** Where the database of then came to; RFC 3339, absent when no transaction was replayed. */
  readonly lastCommit?: string;
  readonly lsn: string;
  readonly tables: readonly PlannedTable[];
  readonly findings: readonly Finding[];
  /** Milliseconds until the plan could be made. */
  readonly took: { readonly restore: number; readonly recovery: number; readonly look: number };
  /** Stands for exactly this. */
  readonly token: string;
}

export interface BroughtTableSummary {
  readonly from: string;
  readonly to: string;
  readonly action: PlannedTable['action'];
  readonly rows: number;
  readonly inserted: number;
  /** Rows in the table when the transaction ended. */
  readonly counted: number;
  readonly bytes: number;
  readonly milliseconds: number;
}

export interface TableRestoreSummary {
  readonly tables: readonly BroughtTableSummary[];
  readonly findings: readonly Finding[];
  /** Milliseconds of the transaction on the target. */
  readonly milliseconds: number;
}

/** The database of then runs until what is planned is disposed of; then it is gone. */
export type PlanTableRestore = (
  access: RepositoryAccess,
  request: TableRestoreRequest,
  work: Work,
) => Promise<Planned<TableRestorePlan, TableRestoreSummary>>;

export function define(parent: Command, context: Context, planTables: PlanTableRestore): void {
  const command = newCommand(parent, {
    usage: 'table [table...]',
    summary: 'bring tables as of a moment back into a running database',
    description:
      'Builds the database of then in a temporary directory, starts a server on it for itself alone, and copies tables ' +
      'from there into the running database, in one transaction: all of it or nothing. A table that is gone is made ' +
      'again with its keys, indexes and rights; one that is there is not touched unless you say how. This machine needs ' +
      'room for the whole database of then, and a PostgreSQL of its version.',
    examples: [
      [
        'holdfast postgres table shop.orders --to "2026-11-21 10:44:07" --url postgres://admin@db-1/shop',
        'bring a dropped table back as of that moment',
      ],
      [
        'holdfast postgres table orders --to 0/15D68C8 --exclusive --as orders_then --url …',
        'beside the one of today, as of just before a position',
      ],
      [
        'holdfast postgres table orders --to … --only-missing --url …',
        'the rows that were deleted, no others',
      ],
      [
        'holdfast postgres table --schema shop --to … --replace --dry-run --url …',
        'show what replacing all tables of a schema would do, and the token that agrees to it',
      ],
    ],
  });
  addServerOptions(command)
    .optionsGroup('What:')
    .requiredOption(
      '--to <moment>',
      'latest, immediate, a time, a position such as 0/15D68C8, xid:N or name:NAME',
    )
    .option('--exclusive', 'as of just before that moment instead of just after it')
    .option('--schema <name>', 'all tables of this schema (several times)', collect)
    .option('--database <name>', 'the database that they were in (default: the one of --url)')
    .option('--from-system <id>', 'this server, when the repository has several')
    .option('--base <id>', 'from this base; the best one for the moment unless said')
    .option('--timeline <n>', 'this history; the latest unless said', parsePositive)
    .optionsGroup('Where to:')
    .option('--as <name>', 'under another name')
    .option('--into <schema>', 'into another schema, made if it is not there')
    .option('--only-missing', 'into the table that is there: insert the rows whose key is gone')
    .option('--replace', 'into the table that is there, instead of its rows: shows a plan, then asks')
    .option('--consent <token>', 'agree to the plan that has this token')
    .option('-n, --dry-run', 'change nothing in the running database, only show what would be done')
    .option('--scratch <directory>', 'where to build the database of then (default: the system’s for that)')
    .option('--limit-download <KiB/s>', 'fetch at most so much', parsePositive);
  endRepositoryCommand(command).action(async (tables: string[]) => {
    const request = { ...command.opts<TableRestoreOptions>(), tables };
    refuseContradictions(request);
    const dryRun = request.dryRun === true;
    const reader = { timeZone: context.timeZone, dryRun };
    await runPlanned(command, context, {
      plan: (access, work) => planTables(access, request, work),
      dryRun,
      showPlan: (plan) => ({
        lines: (style: Style) => renderTablePlan(plan, style, reader),
        records: () => tablePlanRecords(plan),
      }),
      consent: (plan) => consentFor(plan, request),
      showOutcome: (summary) => ({
        lines: (style: Style) => renderTableRestore(summary, style),
        records: () => tableRestoreRecords(summary),
      }),
      outcomeKind: ({ findings }) => (findings.length > 0 ? 'answer' : 'confirmation'),
    });
  });
}

function consentFor(plan: TableRestorePlan, request: TableRestoreRequest): ConsentRequest | undefined {
  const replaced = plan.tables.filter(({ action }) => action === 'replace');
  if (replaced.length === 0) return undefined;
  const rows = replaced.reduce((sum, { rowsNow = 0 }) => sum + rowsNow, 0);
  const names = replaced.map(({ to }) => to).join(', ');
  const loss = `${formatCounted(rows, 'row')} of ${names} would go, for those of then`;
  return { loss, token: plan.token, given: request.consent };
}

function refuseContradictions(request: TableRestoreRequest): void {
  const { tables, schema, as, into, replace, onlyMissing, consent } = request;
  if (tables.length === 0 && schema === undefined) {
    throw new Failure('usage', 'it is not said which tables are to come back', {
      hint: 'Name them, as in shop.orders, or all of a schema with --schema NAME.',
    });
  }
  if (replace === true && onlyMissing === true) {
    throw new Failure('usage', '--replace and --only-missing contradict each other');
  }
  if ((as !== undefined || into !== undefined) && (replace === true || onlyMissing === true)) {
    throw new Failure('usage', '--as and --into bring a table beside the one of today, the others into it', {
      hint: 'Say either where the copy goes, or what is done to the table that is there.',
    });
  }
  if (consent !== undefined && replace !== true) {
    throw new Failure('usage', '--consent agrees to what --replace would do, and means nothing without it');
  }
}
