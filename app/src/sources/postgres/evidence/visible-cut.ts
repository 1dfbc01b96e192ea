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

/**
 * Where the log must be cut so that what is before it is exactly what is visible: before the first commit that is not.
 * Undefined when there is no such place: a transaction becomes visible a view after its record is written, and another
 * one may overtake it there. `until`: no visible commit lies behind it.
 */
export function visibleCut(
  commits: readonly CommitRecord[],
  visible: VisibleSet,
  until: Lsn,
): Lsn | undefined {
  let cut: Lsn | undefined;
  for (const { lsn, xid } of commits) {
    if (lsn >= until) break;
    if (xid === undefined) return undefined;
    if (!isVisible(xid, visible)) cut ??= lsn;
    else if (cut !== undefined) return undefined;
  }
  return cut ?? until;
}

function isVisible(xid: number, { end, inProgress }: VisibleSet): boolean {
  const whole = widened(xid, end);
  return whole < end && !inProgress.includes(whole);
}

/** The lower half of a number that is near another one, made whole. */
function widened(xid: number, near: bigint): bigint {
  const distance = BigInt.asIntN(32, BigInt(xid) - near);
  return near + distance;
}
