import type { Finding } from '@holdfast/engine';
import { formatBytes, formatCounted, formatDuration } from '../format.ts';
import { printable } from '../width.ts';

/** What a journal did from its start to its end. */
export interface JournalSummary {
  /** LSN up to which everything is durable in the spool; absent when nothing has arrived. */
  readonly flushed?: string;
  /** Bytes received. */
  readonly received: number;
  readonly slices: number;
  /** Files that are in the spool and not yet in the repository. */
  readonly waiting: number;
  readonly gaps: number;
  readonly spool: string;
  readonly milliseconds: number;
}

export function renderJournal(summary: JournalSummary): string[] {
  const { flushed, received, slices, waiting, gaps, spool, milliseconds } = summary;
  const lines = [
    `Stopped after ${formatDuration(milliseconds)}: ${formatBytes(received)} received` +
      `${flushed === undefined ? '' : `, durable up to ${flushed}`}, ${formatCounted(slices, 'slice')} in the repository`,
  ];
  if (waiting > 0) {
    lines.push(
      `${formatCounted(waiting, 'file')} in ${printable(spool)} not yet in the repository: the next run brings them`,
    );
  }
  if (gaps > 0)
    lines.push(`${formatCounted(gaps, 'gap')}: take a new base backup, or nothing after can be restored`);
  return lines;
}

export function journalRecord(summary: JournalSummary): Record<string, unknown> {
  return { type: 'summary', ...summary };
}

/** A finding as a line that stays on the screen. */
export function findingLine({ severity, subject, message, hint }: Finding): string {
  const sign = severity === 'error' ? '✖' : '▲';
  return `${sign} ${printable(message)} (${printable(subject)})${hint === undefined ? '' : ` ${printable(hint)}`}`;
}
