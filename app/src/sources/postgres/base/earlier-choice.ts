import type { TimelineSwitch } from '../wal/timeline-history.ts';
import type { LogPosition } from './base-stream.ts';

/** Where a base ended, and how its timeline came about. */
export interface BaseOrigin {
  readonly end: LogPosition;
  /** The timelines before that of `end`. */
  readonly history: readonly TimelineSwitch[];
}

/** Where a server is: its timeline and those before it. */
export interface ServerHistory {
  readonly timeline: number;
  readonly history: readonly TimelineSwitch[];
}

/**
 * Whether what a base holds is an earlier state of a server: then the pages that the server says have changed since are
 * all that differ. The server looks too, but takes a base for its own that was taken on the old timeline after the
 * server had left it, and one of another server that was promoted from the same copy: both have a timeline of that number.
 */
export function isEarlierState(base: BaseOrigin, server: ServerHistory): boolean {
  const { end } = base;
  const before = server.history.filter(({ timeline }) => timeline < end.timeline);
  if (before.length !== base.history.length) return false;
  const same = before.every(({ timeline, end: left }, at) => {
    const ours = base.history[at];
    return ours?.timeline === timeline && ours.end === left;
  });
  if (!same) return false;
  if (end.timeline === server.timeline) return true;
  const left = server.history.find(({ timeline }) => timeline === end.timeline);
  return left !== undefined && end.lsn <= left.end;
}
