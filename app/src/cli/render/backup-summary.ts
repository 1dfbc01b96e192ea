import { type Id, type SnapshotSummary, type StoredSnapshot, shortId } from '@holdfast/engine';
import { formatBytes, formatCount, formatCounted, formatDuration, formatFactor } from '../format.ts';
import { type Style, signs } from '../style.ts';
import type { Traffic } from '../traffic.ts';
import { printable } from '../width.ts';
import { type Problem, renderProblems } from './problems.ts';

export interface BackupSummary {
  /** Absent after a dry run. */
  readonly snapshot?: Id;
  readonly stored?: StoredSnapshot;
  /** Absent for a first backup. */
  readonly parent?: Id;
  readonly figures: SnapshotSummary;
  readonly milliseconds: number;
  readonly traffic?: Traffic;
  /** What is missing in the snapshot. */
  readonly unreadable: readonly Problem[];
  /** Saved, but they changed while they were read. */
  readonly changedWhileRead: readonly string[];
  /** What this platform cannot keep, a sentence each. */
  readonly notKept: readonly string[];
}

const CHANGED_SHOWN = 5;

/** What happened, what is missing, what to do next. */
export function renderBackup(summary: BackupSummary, style: Style): string[] {
  const { figures } = summary;
  const seen = `${formatCounted(figures.totalFilesProcessed, 'file')}, ${formatBytes(figures.totalBytesProcessed)}`;
  return [
    ...renderProblems(summary.unreadable, style),
    ...renderChanged(summary.changedWhileRead, style),
    ...summary.notKept.map((sentence) => `${style.quiet(signs.unknown)} ${printable(sentence)}`),
    headline(summary, style),
    `  read    ${seen}: ${changes(figures)}`,
    `  stored  ${stored(figures)}`,
    ...(summary.snapshot === undefined
      ? []
      : [
          `  Next: holdfast files restore ${shortId(summary.snapshot)} --target DIR   brings it back into DIR`,
        ]),
  ];
}

export function backupRecord(summary: BackupSummary): Record<string, unknown> {
  return { type: 'summary', ...summary };
}

function headline(summary: BackupSummary, style: Style): string {
  const took = formatDuration(summary.milliseconds);
  if (summary.snapshot === undefined)
    return `${style.quiet(signs.unknown)} Dry run in ${took}: nothing was written`;
  const sign = summary.unreadable.length === 0 ? style.good(signs.good) : style.warning(signs.warning);
  const since = summary.parent === undefined ? 'the first of its kind' : `after ${shortId(summary.parent)}`;
  return `${sign} Saved snapshot ${style.strong(shortId(summary.snapshot))} (${since}) in ${took}`;
}

function changes(figures: SnapshotSummary): string {
  const parts = [`${formatCount(figures.filesNew)} new`, `${formatCount(figures.filesChanged)} changed`];
  return [...parts, `${formatCount(figures.filesUnmodified)} unchanged`].join(', ');
}

function stored(figures: SnapshotSummary): string {
  if (figures.dataAdded === 0) return 'nothing new';
  const factor = formatFactor(figures.dataAdded, figures.dataAddedPacked);
  return `${formatBytes(figures.dataAdded)} new as ${formatBytes(figures.dataAddedPacked)} (compression ${factor})`;
}

function renderChanged(paths: readonly string[], style: Style): string[] {
  if (paths.length === 0) return [];
  const shown = paths.slice(0, CHANGED_SHOWN).map(printable).join(', ');
  const hidden = paths.length - CHANGED_SHOWN;
  const more = hidden > 0 ? ` and ${formatCount(hidden)} more` : '';
  return [`${style.warning(signs.warning)} changed while being read, saved as found: ${shown}${more}`];
}
