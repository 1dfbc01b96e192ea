import type { Lsn } from '../wal/lsn.ts';
import { parseWalName, segmentStart, startOfSegment } from '../wal/segment.ts';
import type { TimelineSwitch } from '../wal/timeline-history.ts';

/** Where a stream begins: always at the beginning of a segment. */
export interface WalPosition {
  readonly timeline: number;
  readonly lsn: Lsn;
}

/**
 * Pure: where a spool with these files wants to go on. A whole segment is done; a partial one is asked for again from
 * its beginning. Undefined when there is no segment.
 */
export function spoolPosition(names: Iterable<string>, segmentSize: number): WalPosition | undefined {
  return lastSegment(names, segmentSize)?.next;
}

/** Pure: the one file that tells where the stream goes on; it must stay in the spool. */
export function neededFile(names: Iterable<string>, segmentSize: number): string | undefined {
  return lastSegment(names, segmentSize)?.name;
}

function lastSegment(names: Iterable<string>, segmentSize: number) {
  let last: { readonly name: string; readonly next: WalPosition } | undefined;
  for (const name of names) {
    const file = parseWalName(name, segmentSize);
    if (file === undefined || file.kind === 'history') continue;
    const { timeline, number } = file;
    const lsn = startOfSegment(file.kind === 'partial' ? number : number + 1n, segmentSize);
    const { next } = last ?? {};
    const later = timeline === next?.timeline ? lsn >= next.lsn : timeline > (next?.timeline ?? 0);
    // Of a whole segment and the partial one behind it, which begin the same place, the partial one holds something.
    if (later && !(lsn === next?.lsn && timeline === next.timeline && file.kind === 'segment')) {
      last = { name, next: { timeline, lsn } };
    }
  }
  return last;
}

export type Continuation =
  /** The stream goes on where the spool ends. */
  | { readonly kind: 'continue'; readonly at: WalPosition }
  /** The server left our timeline before where we are: what we have beyond stays, under its own timeline. */
  | { readonly kind: 'ahead'; readonly at: WalPosition; readonly switchedAt: Lsn }
  /** The server's history does not lead through ours. */
  | { readonly kind: 'diverged' }
  /** The server is on a timeline that we have left: an old primary that came back. */
  | { readonly kind: 'behind' };

/** Pure: how a stream goes on from `spool` on a server whose timeline and history are these. */
export function continueOn(
  spool: WalPosition,
  timeline: number,
  history: readonly TimelineSwitch[],
  segmentSize: number,
): Continuation {
  if (spool.timeline === timeline) return { kind: 'continue', at: spool };
  if (spool.timeline > timeline) return { kind: 'behind' };
  const index = history.findIndex((ancestor) => ancestor.timeline === spool.timeline);
  const left = history[index];
  if (left === undefined) return { kind: 'diverged' };
  // Up to the switch the server streams the old timeline, then says itself where the next one begins.
  if (spool.lsn < left.end) return { kind: 'continue', at: spool };
  const next = history[index + 1]?.timeline ?? timeline;
  const at = { timeline: next, lsn: segmentStart(left.end, segmentSize) };
  return spool.lsn === left.end ? { kind: 'continue', at } : { kind: 'ahead', at, switchedAt: left.end };
}
