import type { Id } from '../../kernel/id.ts';
import type { Grace } from '../grace.ts';

/** A record as its end is decided by. */
export interface RecordAge {
  readonly id: Id;
  /** When the forgetting was, in milliseconds since the epoch. */
  readonly time: number;
}

/** What a prune does with marks. */
export interface MarkFates {
  /** Undefined: nothing stays marked. */
  readonly grace: Grace | undefined;
  /** When the packs were marked that are removed now, in milliseconds since the epoch. */
  readonly ending: readonly number[];
  /** Whether others stay marked, or are marked now. */
  readonly more: boolean;
}

/**
 * Pure: the records by which nothing can come back any more. That is so when packs go that were marked after the
 * forgetting, since the first prune after it marks all that became free by it; or when its grace is over and there is
 * nothing marked at all.
 */
export function expiredRecords(records: readonly RecordAge[], { grace, ending, more }: MarkFates): Id[] {
  const latest = ending.reduce((latest, time) => Math.max(latest, time), Number.NEGATIVE_INFINITY);
  const isOver = ({ time }: RecordAge) => {
    if (grace === undefined || time <= latest) return true;
    return !more && ending.length === 0 && time + grace.keep <= grace.now;
  };
  return records.filter(isOver).map(({ id }) => id);
}
