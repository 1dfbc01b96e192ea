import type { PrunePlan } from '@holdfast/engine';
import { formatBytes, formatCounted, formatDuration, formatTime } from '../format.ts';
import { type Style, signs } from '../style.ts';
import { printable } from '../width.ts';

export interface PruneOutcome {
  readonly bytesFreed: number;
  /** In packs that go when their grace is over. */
  readonly bytesMarked: number;
  /** Milliseconds that those stay at least. */
  readonly grace: number;
  /** Why nothing was marked or removed, when others worked all the time. */
  readonly postponed?: string;
  readonly milliseconds: number;
}

/** Sizes are those of the repository's files. */
export function renderPrunePlan({ totals, grace, idle }: PrunePlan, timeZone: string): string[] {
  const { before, repacked, removed, unreferenced, marked, waiting } = totals;
  const waits = waiting.until === undefined ? [] : [waitingLine(waiting.until, packs(waiting), timeZone)];
  if (idle) return [`  nothing to do in ${packs(before)}; ${unusedAfter(totals)}`, ...waits];
  const now = grace === undefined ? sum(removed, unreferenced) : removed;
  return [
    `  there    ${packs(before)}`,
    `  remove   ${packs(now)}${grace === undefined ? '' : ', marked before'}`,
    ...(grace === undefined
      ? []
      : [`  mark     ${packs(marked)}, to be removed after ${formatDuration(grace.keep)}`]),
    ...waits,
    `  rewrite  ${packs(repacked)}`,
    `  frees    ${formatBytes(totals.freed)}; ${unusedAfter(totals)}`,
  ];
}

/** The sums: what happens to each of maybe a million packs is more than a line. */
export function prunePlanRecord({ totals, idle }: PrunePlan): Record<string, unknown> {
  return { type: 'plan', idle, ...totals };
}

export function renderPruneOutcome(outcome: PruneOutcome, style: Style): string[] {
  if (outcome.postponed !== undefined) {
    return [
      `${style.warning(signs.warning)} Nothing was marked or removed: ${printable(outcome.postponed)}`,
      '  The next prune does it; it needs a moment without other locks.',
    ];
  }
  const freed = `Freed ${formatBytes(outcome.bytesFreed)} in ${formatDuration(outcome.milliseconds)}`;
  if (outcome.bytesMarked === 0) return [`${style.good(signs.good)} ${freed}`];
  const later = `a prune after ${formatDuration(outcome.grace)} frees them`;
  return [`${style.good(signs.good)} ${freed}, marked ${formatBytes(outcome.bytesMarked)}: ${later}`];
}

function waitingLine(until: number, what: string, timeZone: string): string {
  return `  waiting  ${what}, marked before; the first may go on ${formatTime(until, timeZone)}`;
}

function sum(a: Total, b: Total): Total {
  return { packs: a.packs + b.packs, bytes: a.bytes + b.bytes };
}

function packs(total: Total): string {
  return `${formatCounted(total.packs, 'pack')}, ${formatBytes(total.bytes)}`;
}

type Total = Pick<PrunePlan['totals']['removed'], 'packs' | 'bytes'>;

function unusedAfter({ unusedAfter: bytes }: PrunePlan['totals']): string {
  return bytes === 0
    ? 'nothing unused stays'
    : `${formatBytes(bytes)} unused stay, too scattered to be worth it`;
}
