import { formatBytes, formatCounted, formatDuration } from '../format.ts';
import { type Style, signs } from '../style.ts';

/** Sizes in bytes of the repository's files. */
export interface PrunePlan {
  readonly usedBytes: number;
  readonly unusedBytes: number;
  /** Without anything that is used: they are removed. */
  readonly packsToRemove: number;
  readonly bytesToRemove: number;
  /** With something that is used: that is written anew first. */
  readonly packsToRepack: number;
  readonly bytesToRepack: number;
  /** What becomes free in the end. */
  readonly bytesFreed: number;
  /** Unused, but not worth rewriting. */
  readonly unusedBytesAfter: number;
}

export interface PruneOutcome {
  readonly bytesFreed: number;
  readonly milliseconds: number;
}

export function renderPrunePlan(plan: PrunePlan): string[] {
  const packs = (count: number, bytes: number) => `${formatCounted(count, 'pack')}, ${formatBytes(bytes)}`;
  return [
    `  in use   ${formatBytes(plan.usedBytes)}, unused ${formatBytes(plan.unusedBytes)}`,
    `  remove   ${packs(plan.packsToRemove, plan.bytesToRemove)}`,
    `  rewrite  ${packs(plan.packsToRepack, plan.bytesToRepack)}`,
    `  frees    ${formatBytes(plan.bytesFreed)}; ${formatBytes(plan.unusedBytesAfter)} unused may stay`,
  ];
}

export function renderPruneOutcome(outcome: PruneOutcome, style: Style): string[] {
  const freed = formatBytes(outcome.bytesFreed);
  return [`${style.good(signs.good)} Freed ${freed} in ${formatDuration(outcome.milliseconds)}`];
}
