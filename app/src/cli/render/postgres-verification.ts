import { type Finding, shortId } from '@holdfast/engine';
import type { ComparedDatabase, VerificationSummary } from '../commands/postgres/verify.ts';
import {
  formatAge,
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatMoment,
} from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';
import { renderFinding } from './check-findings.ts';

export interface VerificationReader {
  readonly now: number;
  readonly timeZone: string;
}

/** Each line says what was compared; what was not is said as well. */
export function renderVerification(
  summary: VerificationSummary,
  { now, timeZone }: VerificationReader,
  style: Style,
  width: number,
): string[] {
  const { findings, content } = summary;
  const taken = formatMoment(Date.parse(summary.takenAt), timeZone);
  return [
    `${verdict(findings, style)} evidence ${style.strong(shortId(summary.evidence))} of ${taken}, PostgreSQL ` +
      `${printable(summary.serverVersion)}, from base ${shortId(summary.base)}`,
    ...content.map((database, at) => `  ${at === 0 ? 'content' : '       '}  ${contentLine(database)}`),
    `  pages    ${summary.pages === undefined ? 'not compared: they have no checksums' : `${formatCount(summary.pages)} with their checksums`}`,
    `  indexes  ${structureLine(summary)}`,
    `  RTO      ${formatDuration(summary.recoveryMilliseconds)} from nothing to answers, ${formatBytes(summary.bytes)}; ` +
      `all checks ${formatDuration(summary.milliseconds)}`,
    `  RPO      the repository reaches to ${formatAge(Date.parse(summary.restorableUntil), now)}`,
    ...shownFindings(findings).flatMap((finding) => renderFinding(finding, style, width)),
    ...hidden(findings),
  ];
}

export function verificationRecords(summary: VerificationSummary): Record<string, unknown>[] {
  const { findings, ...rest } = summary;
  return [
    ...findings.map((finding) => ({ type: 'finding', ...finding })),
    { type: 'summary', errors: count(findings, 'error'), warnings: count(findings, 'warning'), ...rest },
  ];
}

function verdict(findings: readonly Finding[], style: Style): string {
  if (count(findings, 'error') > 0) return `${style.bad(signs.bad)} The copy is not what the original was:`;
  if (count(findings, 'warning') > 0)
    return `${style.warning(signs.warning)} Nothing wrong, not all compared:`;
  return `${style.good(signs.good)} Proved by restore:`;
}

function contentLine({
  database,
  lsn,
  exact,
  sampled,
  different,
  unknown,
  rows,
  tolerance,
}: ComparedDatabase): string {
  const parts = [
    `${formatCounted(exact, 'table')} exactly the same (${formatCount(Number(rows))} rows)`,
    ...(sampled === 0 ? [] : [`${formatCount(sampled)} of them in part`]),
    ...(different === 0 ? [] : [`${formatCounted(different, 'table')} DIFFERENT`]),
    ...(unknown === 0 ? [] : [`${formatCounted(unknown, 'table')} unknown`]),
    ...(tolerance === 0 ? [] : [`tolerance ${formatCounted(tolerance, 'transaction')}`]),
  ];
  return `${printable(database)} at ${lsn}: ${parts.join(', ')}`;
}

function structureLine({ structure }: VerificationSummary): string {
  if (structure === undefined) return 'not compared: the PostgreSQL of this machine comes without amcheck';
  const tables =
    structure.tables === undefined ? '' : `, ${formatCounted(structure.tables, 'table')} hang together`;
  return `${formatCounted(structure.indexes, 'index', 'indexes')} in order and complete${tables} (amcheck)`;
}

/** The worst first; a thousand of one kind would hide the others. */
function shownFindings(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]).slice(0, MOST_SHOWN);
}

function hidden(findings: readonly Finding[]): string[] {
  return findings.length <= MOST_SHOWN
    ? []
    : [`  and ${formatCount(findings.length - MOST_SHOWN)} more (all of them with --json)`];
}

function count(findings: readonly Finding[], severity: Finding['severity']): number {
  return findings.filter((finding) => finding.severity === severity).length;
}

const RANK = { error: 0, warning: 1, note: 2 } as const;
const MOST_SHOWN = 20;
