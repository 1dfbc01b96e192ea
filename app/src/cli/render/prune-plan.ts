import type { PrunePlan } from '@holdfast/engine';
import { formatBytes, formatCounted, formatDuration } from '../format.ts';
import { type Style, signs } from '../style.ts';

export interface PruneOutcome {
  readonly bytesFreed: number;
  readonly milliseconds: number;
}

/** Sizes are those of the repository's files. */
export function renderPrunePlan({ totals, idle }: PrunePlan): string[] {
  const { before, repacked, removed, unreferenced } = totals;
  if (idle) return [`  nothing to do in ${packs(before)}; ${unusedAfter(totals)}`];
  return [
    `  there    ${packs(before)}`,
    `  remove   ${packs({ packs: removed.packs + unreferenced.packs, bytes: removed.bytes + unreferenced.bytes })}`,
    `  rewrite  ${packs(repacked)}`,
    `  frees    ${formatBytes(totals.freed)}; ${unusedAfter(totals)}`,
  ];
}

/** The sums: what happens to each of maybe a million packs is more than a line. */
export function prunePlanRecord({ totals, idle }: PrunePlan): Record<string, unknown> {
  return { type: 'plan', idle, ...totals };
}

export function renderPruneOutcome(outcome: PruneOutcome, style: Style): string[] {
  const freed = formatBytes(outcome.bytesFreed);
  return [`${style.good(signs.good)} Freed ${freed} in ${formatDuration(outcome.milliseconds)}`];
}

function packs(total: { readonly packs: number; readonly bytes: number }): string {
  return `${formatCounted(total.packs, 'pack')}, ${formatBytes(total.bytes)}`;
}

function unusedAfter({ unusedAfter: bytes }: PrunePlan['totals']): string {
  return bytes === 0
    ? 'nothing unused stays'
    : `${formatBytes(bytes)} unused stay, too scattered to be worth it`;
}
