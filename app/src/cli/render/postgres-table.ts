import { type Finding, shortId } from '@holdfast/engine';
import type {
  BroughtTableSummary,
  PlannedTable,
  TableRestorePlan,
  TableRestoreSummary,
} from '../commands/postgres/table.ts';
import { formatBytes, formatCounted, formatDuration, formatMoment, formatRate } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';
import type { Reader } from './points.ts';

export interface TablePlanReader extends Pick<Reader, 'timeZone'> {
  readonly dryRun: boolean;
}

export function renderTablePlan(plan: TableRestorePlan, style: Style, reader: TablePlanReader): string[] {
  const { restore, recovery, look } = plan.took;
  const amount = formatCounted(plan.tables.length, 'table');
  const rows = [
    ['from', fromText(plan, reader)],
    ['up to', upToText(plan, reader)],
    ['into', printable(plan.target)],
    ...plan.tables.map((table) => [VERBS[table.action], tableText(table)]),
    [
      'took',
      `restore ${formatDuration(restore)} · recovery ${formatDuration(recovery)} · look ${formatDuration(look)}`,
    ],
  ];
  return [
    `Bring ${amount} of ${printable(plan.server)} back ${momentText(plan)}`,
    ...rows.map(([title = '', text = '']) => `  ${title.padEnd(8)} ${text}`),
    ...plan.findings.flatMap((finding) => findingLines(finding, style)),
    ...(reader.dryRun && plan.tables.some(({ action }) => action === 'replace')
      ? [`  To agree to exactly this: --consent ${plan.token}`]
      : []),
  ];
}

/** A plan, and a line for each finding. */
export function tablePlanRecords({ findings, ...plan }: TableRestorePlan): Record<string, unknown>[] {
  return [{ type: 'plan', ...plan }, ...findings.map(findingRecord)];
}

export function renderTableRestore(summary: TableRestoreSummary, style: Style): string[] {
  return [
    ...summary.tables.map((table) => `${style.good(signs.good)} ${broughtText(table)}`),
    ...summary.findings.flatMap((finding) => findingLines(finding, style)),
    `  all in one transaction, ${formatDuration(summary.milliseconds)}`,
  ];
}

export function tableRestoreRecords({
  findings,
  ...summary
}: TableRestoreSummary): Record<string, unknown>[] {
  return [...findings.map(findingRecord), { type: 'summary', ...summary }];
}

const VERBS = { create: 'make', replace: 'REPLACE', add: 'add to' } as const;

function momentText({ asked, inclusive }: TableRestorePlan): string {
  if (asked === 'latest') return 'as of the last moment that is known';
  if (asked === 'immediate') return 'as of its base';
  return `${inclusive ? 'as of' : 'as of just before'} ${printable(asked)}`;
}

function fromText({ base, systemId }: TableRestorePlan, { timeZone }: TablePlanReader): string {
  return `base ${shortId(base.snapshot)} of ${told(base.endedAt, timeZone)} (system ${systemId})`;
}

/** What somebody compares with the moment of the mistake. */
function upToText({ lsn, lastCommit }: TableRestorePlan, { timeZone }: TablePlanReader): string {
  if (lastCommit === undefined) return `${lsn}, no transaction after the base`;
  return `${lsn}, the last transaction of ${told(lastCommit, timeZone)}`;
}

function told(time: string, timeZone: string): string {
  return formatMoment(Temporal.Instant.from(time).epochMilliseconds, timeZone);
}

function tableText({ from, to, action, rows, bytes, rowsNow = 0 }: PlannedTable): string {
  const name = from === to ? printable(to) : `${printable(to)} from ${printable(from)}`;
  const then = `${formatCounted(rows, 'row')}, ${formatBytes(bytes)}`;
  if (action === 'create') return `${name}: ${then}`;
  const now = formatCounted(rowsNow, 'row');
  if (action === 'replace') return `${name}: the ${now} of now by the ${then} of then`;
  return `${name}: what its ${now} of now lack of the ${then} of then`;
}

function broughtText({
  to,
  action,
  rows,
  inserted,
  counted,
  bytes,
  milliseconds,
}: BroughtTableSummary): string {
  const took = `in ${formatDuration(milliseconds)} (${formatRate(bytes, milliseconds)})`;
  const name = printable(to);
  if (action !== 'add') return `${name}: ${formatCounted(rows, 'row')} back and counted there ${took}`;
  return (
    `${name}: ${formatCounted(inserted, 'missing row')} of ${formatCounted(rows, 'row')} back, ` +
    `${formatCounted(counted, 'row')} there now ${took}`
  );
}

function findingLines({ severity, subject, message, hint }: Finding, style: Style): string[] {
  const sign = severity === 'note' ? style.quiet('·') : style.warning(signs.warning);
  return [
    `${sign} ${printable(subject)}: ${printable(message)}`,
    ...(hint === undefined ? [] : [style.quiet(`    ${printable(hint)}`)]),
  ];
}

function findingRecord(finding: Finding): Record<string, unknown> {
  return { type: 'finding', ...finding };
}
