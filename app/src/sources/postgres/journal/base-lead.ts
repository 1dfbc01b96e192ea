import { type Lineage, type WalFileFound, walCoverage } from '../wal/coverage.ts';
import type { Lsn } from '../wal/lsn.ts';
import { timelineAt } from '../wal/timeline-history.ts';

/** Where a base backup is consistent. */
export interface BaseEnd {
  readonly timeline: number;
  readonly lsn: Lsn;
}

/**
 * Pure: whether one of the bases leads to a stream that begins at `from`: its end lies on the stream's history, and the
 * files bring what lies between the two. The stream itself brings the rest.
 */
export function leadsTo(
  from: Lsn,
  bases: readonly BaseEnd[],
  files: Iterable<WalFileFound>,
  segmentSize: number,
  lineage: Lineage,
): boolean {
  const ranges = walCoverage(files, segmentSize, lineage);
  return bases.some(({ timeline, lsn }) => {
    if (timelineAt(lsn - 1n, lineage.timeline, lineage.history) !== timeline) return false;
    return lsn >= from || ranges.some((range) => range.from <= lsn && from <= range.to);
  });
}
