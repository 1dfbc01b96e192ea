import { type Finding, shortId } from '@holdfast/engine';
import type { BaseEvidence, BaseSummary } from '../commands/postgres/backup.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from '../format.ts';
import { wrapText } from '../paragraph.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';
import { evidenceFigures, renderUnknown } from './postgres-evidence.ts';

export function renderBaseSummary(summary: BaseSummary, style: Style, width: number): string[] {
  const { figures, milliseconds, sentBytes, since, fullBecause } = summary;
  const checked =
    summary.pagesVerified === undefined
      ? 'files compared with the server’s list; its pages have no checksums'
      : `files compared with the server’s list, ${formatCount(summary.pagesVerified)} pages with their checksums`;
  const changed = since === undefined ? '' : ` changed since base ${shortId(since)}`;
  const why =
    fullBecause === undefined
      ? []
      : [
          `  full    ${printable(fullBecause.message)}`,
          ...(fullBecause.hint === undefined ? [] : [`          ${printable(fullBecause.hint)}`]),
        ];
  return [
    `${style.good(signs.good)} Saved base ${style.strong(shortId(summary.snapshot))} of PostgreSQL ` +
      `${printable(summary.serverVersion)} in ${formatDuration(milliseconds)}`,
    `  sent    ${formatBytes(sentBytes)}${changed}, ${formatRate(sentBytes, milliseconds)}: ${checked}`,
    ...why,
    `  stored  ${formatBytes(figures.dataAdded)} new as ${formatBytes(figures.dataAddedPacked)}`,
    `  holds   ${formatBytes(figures.totalBytesProcessed)}, ${summary.startLsn} to ${summary.endLsn} on timeline ${summary.timeline}`,
    ...evidenceLines(summary.evidence, style, width),
    ...summary.findings.slice(0, SHOWN).flatMap((finding) => findingLines(finding, style, width)),
    ...(summary.findings.length > SHOWN
      ? [style.quiet(`  and ${formatCount(summary.findings.length - SHOWN)} more (all of them with --json)`)]
      : []),
    `  Next: holdfast postgres restore --base ${shortId(summary.snapshot)} --target DIR`,
  ];
}

function evidenceLines(evidence: BaseEvidence | undefined, style: Style, width: number): string[] {
  if (evidence === undefined) return [];
  if ('missing' in evidence) {
    return [
      `  proof   none: ${printable(evidence.missing)}`,
      ...(evidence.hint === undefined ? [] : [`          ${printable(evidence.hint)}`]),
    ];
  }
  return [
    `  proof   evidence ${style.strong(shortId(evidence.snapshot))}: ${evidenceFigures(evidence)}`,
    ...renderUnknown(evidence.unknown, style, width),
  ];
}

/** Of a base taken in spite of damage; all of it is in the record, too. */
const SHOWN = 20;

function findingLines({ severity, message, hint }: Finding, style: Style, width: number): string[] {
  const sign = {
    error: style.bad(signs.bad),
    warning: style.warning(signs.warning),
    note: style.quiet(signs.unknown),
  }[severity];
  const wrapped = (text: string) => wrapText(printable(text), width - 2);
  return [
    ...wrapped(message).map((line, at) => `${at === 0 ? sign : ' '} ${line}`),
    ...(hint === undefined ? [] : wrapped(hint).map((line) => `  ${line}`)),
  ];
}

export function baseSummaryRecords({ findings, ...summary }: BaseSummary): Record<string, unknown>[] {
  return [
    ...findings.map((finding) => ({ type: 'finding', ...finding })),
    { type: 'summary', ...summary, findings: findings.length },
  ];
}
