import type { Rates } from '../policy/model.ts';

const KINDS = ['upload', 'download', 'requests'] as const;

/**
 * Divides what the whole may use among the runs at work, in their order: equal shares, and what one leaves because its own
 * limit is lower goes to the others. All shares together are never more than the whole, and never less than it while
 * somebody could use more.
 */
export function shareRates(whole: Rates, running: readonly Rates[]): Rates[] {
  const shares = running.map((own): { -readonly [Kind in keyof Rates]: Rates[Kind] } => ({ ...own }));
  for (const kind of KINDS) {
    const total = whole[kind];
    if (total === undefined) continue;
    let left = total;
    let others = running.length;
    const modestFirst = [...running.keys()].sort((a, b) => limitOf(a) - limitOf(b));
    for (const index of modestFirst) {
      const share = Math.min(limitOf(index), left / others);
      const entry = shares[index];
      if (entry !== undefined) entry[kind] = share;
      left -= share;
      others -= 1;
    }
    function limitOf(index: number): number {
      return running[index]?.[kind] ?? Number.POSITIVE_INFINITY;
    }
  }
  return shares;
}
