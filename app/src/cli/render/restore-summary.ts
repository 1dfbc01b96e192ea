import { formatBytes, formatCount, formatCounted, formatDuration } from '../format.ts';
import { type Style, signs } from '../style.ts';
import type { Traffic } from '../traffic.ts';
import { printable } from '../width.ts';
import { type Problem, renderProblems } from './problems.ts';

export interface RestoreSummary {
  readonly target: string;
  readonly dryRun: boolean;
  readonly filesRestored: number;
  /** Were there already, with the right content. */
  readonly filesUnchanged: number;
  /** Were there, and may not be overwritten. */
  readonly filesSkipped: number;
  /** Were there, but not in the snapshot (`--delete`). */
  readonly filesDeleted: number;
  readonly bytesWritten: number;
  /** Files read again and compared (`--verify`); absent without it. */
  readonly filesVerified?: number;
  readonly milliseconds: number;
  readonly traffic?: Traffic;
  readonly failed: readonly Problem[];
  /** Restored in part, with zeros in the place of what is lost (`--salvage`). */
  readonly incomplete: readonly Problem[];
  /** What this platform or user cannot set, a sentence each. */
  readonly notKept: readonly string[];
}

export function renderRestore(summary: RestoreSummary, style: Style): string[] {
  return [
    ...renderProblems(summary.failed, style),
    ...renderIncomplete(summary, style),
    ...summary.notKept.map((sentence) => `${style.quiet(signs.unknown)} ${printable(sentence)}`),
    headline(summary, style),
    ...(summary.dryRun ? [] : [...counts(summary).map((line) => `  ${line}`), `  ${proof(summary)}`]),
  ];
}

export function restoreRecord(summary: RestoreSummary): Record<string, unknown> {
  return { type: 'summary', ...summary };
}

function renderIncomplete({ incomplete }: RestoreSummary, style: Style): string[] {
  if (incomplete.length === 0) return [];
  const count = formatCounted(incomplete.length, 'file');
  return [
    `${style.warning(signs.warning)} Kept in part, with zeros in the place of what is lost: ${count}`,
    ...renderProblems(incomplete, style),
  ];
}

function headline(summary: RestoreSummary, style: Style): string {
  const target = printable(summary.target);
  const took = formatDuration(summary.milliseconds);
  const amount = `${formatCounted(summary.filesRestored, 'file')}, ${formatBytes(summary.bytesWritten)}`;
  if (summary.dryRun) {
    return `${style.quiet(signs.unknown)} Dry run in ${took}: would write ${amount} into ${target}${counts(
      summary,
    )
      .map((line) => `; ${line}`)
      .join('')}`;
  }
  const sign =
    summary.failed.length + summary.incomplete.length === 0
      ? style.good(signs.good)
      : style.warning(signs.warning);
  return `${sign} Restored ${amount} into ${target} in ${took}`;
}

/** One line of what was not simply written; none when that is all there was. */
function counts(summary: RestoreSummary): string[] {
  const parts = [
    [summary.filesUnchanged, 'already there'],
    [summary.filesSkipped, 'left as they were'],
    [summary.filesDeleted, 'deleted'],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${formatCount(count)} ${what}`);
  return told.length === 0 ? [] : [told.join(', ')];
}

function proof(summary: RestoreSummary): string {
  if (summary.filesVerified === undefined)
    return 'Next: the same with --verify reads all back and compares it';
  return `${formatCounted(summary.filesVerified, 'file')} read back and compared`;
}
