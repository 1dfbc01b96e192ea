import type { Lsn } from '../wal/lsn.ts';
import type { CommitRecord } from './commit-records.ts';

/** What a transaction sees, as `txid_current_snapshot()` prints it; 64 bits each. */
export interface VisibleSet {
  /** Below it everything is visible but `inProgress`. */
  readonly end: bigint;
  readonly inProgress: readonly bigint[];
}

/** Reads `xmin:xmax:xip,xip`. */
export function parseVisible(text: string): VisibleSet {
  const [, end = '0', list = ''] = text.split(':');
  return { end: BigInt(end), inProgress: list === '' ? [] : list.split(',').map(BigInt) };
}

export interface Cut {
  readonly lsn: Lsn;
  /** Transactions that are committed before the cut and not visible; none where the cut is exact. */
  readonly overtaken: readonly bigint[];
}

/**
 * Where the log must be cut so that what is before it is what is visible: behind the last commit that is. Exactly that as
 * long as no other one lies before: a transaction becomes visible a moment after its record is written, and another one may
 * overtake it there. `until`: no visible commit lies behind it. Undefined when a number is not known.
 */
export function visibleCut(
  commits: readonly CommitRecord[],
  visible: VisibleSet,
  until: Lsn,
): Cut | undefined {
  const before = commits.filter(({ lsn }) => lsn < until);
  const last = before.findLastIndex(
    ({ xid }) => xid === undefined || isVisible(widened(xid, visible.end), visible),
  );
  const overtaken: bigint[] = [];
  for (const { xid } of before.slice(0, last + 1)) {
    if (xid === undefined) return undefined;
    const whole = widened(xid, visible.end);
    if (!isVisible(whole, visible)) overtaken.push(whole);
  }
  return { lsn: before[last + 1]?.lsn ?? until, overtaken };
}

function isVisible(xid: bigint, { end, inProgress }: VisibleSet): boolean {
  return xid < end && !inProgress.includes(xid);
}

/** The lower half of a number that is near another one, made whole. */
function widened(xid: number, near: bigint): bigint {
  const distance = BigInt.asIntN(32, BigInt(xid) - near);
  return near + distance;
}
