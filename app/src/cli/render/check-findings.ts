import type { Finding } from '@holdfast/engine';
import { formatBytes, formatCounted, formatDuration } from '../format.ts';
import { wrapText } from '../paragraph.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';

export interface CheckResult {
  readonly findings: readonly Finding[];
  readonly snapshots: number;
  readonly packs: number;
  /** Packs whose every blob was read and authenticated; 0 when only the structure was checked. */
  readonly packsRead: number;
  readonly bytesRead: number;
  readonly milliseconds: number;
}

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

export function errorsIn(findings: readonly Finding[]): number {
  return findings.filter((finding) => finding.severity === 'error').length;
}

function renderFinding(finding: Finding, style: Style, width: number): string[] {
  const text = wrapText(printable(`${finding.subject}: ${finding.message}`), width - 2);
  const hint = finding.hint === undefined ? [] : wrapText(printable(finding.hint), width - 2);
  return [
    ...text.map((line, index) => `${index === 0 ? sign(finding, style) : ' '} ${line}`),
    ...hint.map((line) => `  ${line}`),
    `  ${style.quiet(finding.code)}`,
  ];
}

function sign(finding: Finding, style: Style): string {
  if (finding.severity === 'error') return style.bad(signs.bad);
  return finding.severity === 'warning' ? style.warning(signs.warning) : style.quiet(signs.unknown);
}

function conclusion(result: CheckResult, style: Style): string[] {
  const seen = `${formatCounted(result.snapshots, 'snapshot')} and ${formatCounted(result.packs, 'pack')}`;
  const read =
    result.packsRead === 0 ? '' : `, ${formatBytes(result.bytesRead)} of data read and authenticated`;
  const took = formatDuration(result.milliseconds);
  const errors = errorsIn(result.findings);
  if (errors > 0)
    return [`${style.bad(signs.bad)} ${formatCounted(errors, 'error')} in ${seen}${read} (${took})`];
  const next =
    result.packsRead < result.packs ? ['  Next: --read-data reads and authenticates all of the data'] : [];
  return [`${style.good(signs.good)} No errors in ${seen}${read} (${took})`, ...next];
}
