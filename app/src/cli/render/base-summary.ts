import { shortId } from '@holdfast/engine';
import type { BaseSummary } from '../commands/postgres/backup.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';

export function renderBaseSummary(summary: BaseSummary, style: Style): string[] {
  const { figures, milliseconds } = summary;
  const bytes = figures.totalBytesProcessed;
  const checked =
    summary.pagesVerified === undefined
      ? 'files compared with the server’s list; its pages have no checksums'
      : `files compared with the server’s list, ${formatCount(summary.pagesVerified)} pages with their checksums`;
  return [
    `${style.good(signs.good)} Saved base ${style.strong(shortId(summary.snapshot))} of PostgreSQL ` +
      `${printable(summary.serverVersion)} in ${formatDuration(milliseconds)}`,
    `  read    ${formatBytes(bytes)}, ${formatRate(bytes, milliseconds)}: ${checked}`,
    `  stored  ${formatBytes(figures.dataAdded)} new as ${formatBytes(figures.dataAddedPacked)}`,
    `  holds   ${summary.startLsn} to ${summary.endLsn} on timeline ${summary.timeline}`,
    `  Next: holdfast postgres restore --base ${shortId(summary.snapshot)} --target DIR`,
  ];
}

export function baseSummaryRecord(summary: BaseSummary): Record<string, unknown> {
  return { type: 'summary', ...summary };
}
