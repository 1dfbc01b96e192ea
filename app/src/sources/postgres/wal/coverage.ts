import { parseWalName, segmentNumber, startOfSegment } from './segment.ts';
import { type TimelineSwitch, timelineAt } from './timeline-history.ts';

/** A piece of WAL without a hole. `to` is the first byte that is not there. */
export interface WalRange {
  readonly from: bigint;
  readonly to: bigint;
}

export interface WalFileFound {
  readonly name: string;
  /** How far a partial segment is filled; one that does not say counts for nothing. */
  readonly to?: bigint;
}

/** Whose history is replayed: a timeline and what came before it, oldest first. */
export interface Lineage {
  readonly timeline: number;
  readonly history: readonly TimelineSwitch[];
}

/**
 * Pure: what a server of this lineage could replay of these files, ascending; between two ranges lies a gap. As in
 * recovery, a segment counts when it is of the timeline that its last byte belongs to, or of a later one: a switch
 * copies the old timeline's part of the segment to the new one, and what the old one wrote behind it never happened.
 */
export function walCoverage(
  files: Iterable<WalFileFound>,
  segmentSize: number,
  lineage: Lineage,
): WalRange[] {
  const ends = new Map<bigint, bigint>();
  for (const { name, to } of files) {
    const file = parseWalName(name, segmentSize);
    if (file === undefined || file.kind === 'history') continue;
    const start = startOfSegment(file.number, segmentSize);
    const full = startOfSegment(file.number + 1n, segmentSize);
    const end = file.kind === 'segment' ? full : (to ?? start);
    const reached = least(end, usable(file.timeline, start, lineage));
    if (reached > (ends.get(start) ?? start)) ends.set(start, reached);
  }
  const ranges: WalRange[] = [];
  for (const [from, to] of [...ends].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const last = ranges.at(-1);
    if (last?.to === from) ranges[ranges.length - 1] = { from: last.from, to };
    else ranges.push({ from, to });
  }
  return ranges;
}

/** The numbers of the segments that hold the bytes from `from` up to `to` (exclusive), in order. */
export function* segmentNumbers(from: bigint, to: bigint, segmentSize: number): Generator<bigint> {
  if (to <= from) return;
  const last = segmentNumber(to - 1n, segmentSize);
  for (let number = segmentNumber(from, segmentSize); number <= last; number++) yield number;
}

/** Up to where the WAL that `owner` wrote from `start` on is part of the lineage; `start` when nothing of it is. */
export function usable(owner: number, start: bigint, { timeline, history }: Lineage): bigint {
  if (owner === timeline) return ENDLESS;
  const left = history.find((ancestor) => ancestor.timeline === owner);
  if (left === undefined || owner < timelineAt(start, timeline, history)) return start;
  return left.end;
}

/** Whether what timeline `owner` had written up to `lsn` is part of the lineage. */
export function isOn({ timeline, history }: Lineage, owner: number, lsn: bigint): boolean {
  if (owner === timeline) return true;
  const left = history.find((ancestor) => ancestor.timeline === owner);
  return left !== undefined && lsn <= left.end;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

const ENDLESS = 1n << 64n;
