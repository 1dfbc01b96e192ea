import type { CheckFinding, CheckReport } from '@holdfast/engine';
import { formatBytes, formatCount, formatCounted, formatDuration } from '../format.ts';
import { wrapText } from '../paragraph.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';

export interface CheckResult extends CheckReport {
  readonly milliseconds: number;
}

/** What is affected may be as much as the whole repository; JSON has more of it. */
const AFFECTED_SHOWN = 5;
const ORDER = { error: 0, warning: 1, note: 2 } as const;

/** Worst first; each says what is wrong, on what, and what to do. */
export function renderCheck(result: CheckResult, style: Style, width: number): string[] {
  const sorted = result.findings.toSorted((a, b) => ORDER[a.severity] - ORDER[b.severity]);
  return [...sorted.flatMap((finding) => renderFinding(finding, style, width)), ...conclusion(result, style)];
}

export function checkRecords(result: CheckResult): Record<string, unknown>[] {
  const { findings, ...figures } = result;
  return [
    ...findings.map((finding) => ({ type: 'finding', ...finding })),
    { type: 'summary', errors: errorsIn(findings), ...figures },
  ];
}

export function errorsIn(findings: readonly CheckFinding[]): number {
  return findings.filter((finding) => finding.severity === 'error').length;
}

export function renderFinding(finding: CheckFinding, style: Style, width: number): string[] {
  const text = wrapText(printable(`${finding.subject}: ${finding.message}`), width - 2);
  const hint = finding.hint === undefined ? [] : wrapText(printable(finding.hint), width - 2);
  return [
    ...text.map((line, index) => `${index === 0 ? sign(finding, style) : ' '} ${line}`),
    ...renderAffected(finding, style),
    ...hint.map((line) => `  ${line}`),
    `  ${style.quiet(finding.code)}`,
  ];
}

function renderAffected({ affected }: CheckFinding, style: Style): string[] {
  if (affected === undefined || affected.total === 0) return [];
  const shown = affected.paths.slice(0, AFFECTED_SHOWN);
  const hidden = affected.total - shown.length;
  return [
    ...shown.map((path) => `    ${printable(path)}`),
    ...(hidden === 0 ? [] : [style.quiet(`    and ${formatCount(hidden)} more`)]),
  ];
}

function sign(finding: CheckFinding, style: Style): string {
  if (finding.severity === 'error') return style.bad(signs.bad);
  return finding.severity === 'warning' ? style.warning(signs.warning) : style.quiet(signs.unknown);
}

function conclusion(result: CheckResult, style: Style): string[] {
  const { checked } = result;
  const seen = `${formatCounted(checked.snapshots, 'snapshot')} and ${formatCounted(checked.packs, 'pack')}`;
  const read =
    checked.packsRead === 0 ? '' : `, ${formatBytes(checked.bytesRead)} of data read and authenticated`;
  const took = formatDuration(result.milliseconds);
  const errors = errorsIn(result.findings);
  const headline =
    errors > 0
      ? `${style.bad(signs.bad)} ${formatCounted(errors, 'error')} in ${seen}${read} (${took})`
      : `${style.good(signs.good)} No errors in ${seen}${read} (${took})`;
  return [headline, ...result.unchecked.map((sentence) => `  ${sentence}`), ...unused(result)];
}

function unused({ unused: { blobs, bytes } }: CheckResult): string[] {
  if (blobs === 0) return [];
  return [
    `  ${formatBytes(bytes)} in ${formatCounted(blobs, 'piece')} are needed by no snapshot (holdfast repo prune).`,
  ];
}
