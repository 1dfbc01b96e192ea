import { shortId } from '@holdfast/engine';
import type { EvidenceSummary, UnknownContent } from '../commands/postgres/evidence.ts';
import { formatCount, formatCounted, formatDuration } from '../format.ts';
import { wrapText } from '../paragraph.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';

export function renderEvidence(summary: EvidenceSummary, style: Style, width: number): string[] {
  const { databases, snapshot, milliseconds } = summary;
  return [
    `${style.good(signs.good)} Saved evidence ${style.strong(shortId(snapshot))} of ` +
      `${formatCounted(databases.length, 'database')} in ${formatDuration(milliseconds)}`,
    `  knows   ${evidenceFigures(summary)}`,
    ...databases.map(({ name, lsn }) => `  exact   ${printable(name)} at ${lsn}`),
    ...renderUnknown(summary.unknown, style, width),
    `  Next: holdfast postgres verify --at ${shortId(snapshot)}   (when the journal has come to there)`,
  ];
}

export function evidenceRecord(summary: EvidenceSummary): Record<string, unknown> {
  return { type: 'summary', ...summary };
}

/** `12 tables, 1,234,567 rows; 11 tables hashed row by row, 1 looked at in part`. */
export function evidenceFigures(
  summary: Pick<EvidenceSummary, 'tables' | 'rows' | 'hashed' | 'sampled'>,
): string {
  const { tables, rows, hashed, sampled } = summary;
  const parts = [
    ...(hashed === 0 ? [] : [`${formatCount(hashed)} hashed row by row`]),
    ...(sampled === 0 ? [] : [`${formatCount(sampled)} looked at in part`]),
  ];
  return `${formatCounted(tables, 'table')}, ${formatCount(Number(rows))} rows${parts.length === 0 ? '' : `; ${parts.join(', ')}`}`;
}

/** Many tables lack the same: what helps is said once. */
export function renderUnknown(unknown: readonly UnknownContent[], style: Style, width: number): string[] {
  const shown = unknown.slice(0, MOST_SHOWN);
  const hints = [...new Set(unknown.flatMap(({ hint }) => hint ?? []))];
  const line = (text: string) => wrapText(printable(text), width - 4);
  return [
    ...shown.flatMap(({ subject, message }) =>
      line(`${subject}: ${message}`).map((part, at) =>
        at === 0 ? `  ${style.quiet(signs.unknown)} ${part}` : `    ${part}`,
      ),
    ),
    ...(unknown.length > shown.length ? [`    and ${formatCount(unknown.length - shown.length)} more`] : []),
    // To be pasted: never broken.
    ...hints.map((hint) => `    ${printable(hint)}`),
  ];
}

const MOST_SHOWN = 10;
