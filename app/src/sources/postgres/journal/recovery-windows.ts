import type { Id } from '@holdfast/engine';
import { isOn, type Lineage, type WalFileFound, type WalRange, walCoverage } from '../wal/coverage.ts';
import type { Lsn } from '../wal/lsn.ts';

/** A base backup, as far as windows are concerned. */
export interface BaseFacts {
  readonly id: Id;
  /** Where it is consistent: the earliest moment that it can be restored to. It holds its own WAL up to here. */
  readonly end: Lsn;
  /** Of its end; absent where it is not known, then it counts as part of any history. */
  readonly timeline?: number;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
}

/** What one journal slice brings. */
export interface SliceWal {
  readonly files: readonly WalFileFound[];
  /** Of the last byte in it, milliseconds since the epoch. */
  readonly time: number;
}

export interface Moment {
  readonly lsn: Lsn;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Any moment between the two can be restored, from the last of the bases before it. */
export interface RecoveryWindow {
  readonly from: Moment;
  /** The same as `from` for a base without a journal: one moment. */
  readonly to: Moment;
  /** Oldest first. */
  readonly bases: readonly Id[];
}

/** WAL that is not there: no moment from `from` on can be restored until a window begins again. */
export interface JournalGap {
  readonly from: Moment;
  readonly to: Moment;
}

export interface RecoveryWindows {
  readonly windows: readonly RecoveryWindow[];
  readonly gaps: readonly JournalGap[];
}

/** Pure: what can be restored of one lineage, told from what is really there. */
export function recoveryWindows(
  bases: readonly BaseFacts[],
  slices: readonly SliceWal[],
  segmentSize: number,
  lineage: Lineage,
): RecoveryWindows {
  const ranges = walCoverage(
    slices.flatMap(({ files }) => files),
    segmentSize,
    lineage,
  );
  const moments = reachedMoments(slices, segmentSize, lineage);
  const windows: RecoveryWindow[] = [];
  for (const base of bases.toSorted((a, b) => (a.end < b.end ? -1 : Number(a.end > b.end)))) {
    const { end: lsn, endedAt: time, id } = base;
    const last = windows.at(-1);
    const isOfIt = base.timeline === undefined || isOn(lineage, base.timeline, lsn);
    const range = isOfIt ? ranges.find(({ from, to }) => from <= lsn && lsn <= to) : undefined;
    if (isOfIt && last !== undefined && last.to.lsn > last.from.lsn && lsn <= last.to.lsn) {
      windows[windows.length - 1] = { ...last, bases: [...last.bases, id] };
    } else if (range === undefined || range.to <= lsn) {
      windows.push({ from: { lsn, time }, to: { lsn, time }, bases: [id] });
    } else {
      const reached = { lsn: range.to, time: Math.max(time, timeAt(moments, range.to)) };
      windows.push({ from: { lsn, time }, to: reached, bases: [id] });
    }
  }
  return { windows, gaps: gapsBetween(ranges, moments) };
}

/** When which position was reached, ascending. */
function reachedMoments(slices: readonly SliceWal[], segmentSize: number, lineage: Lineage): Moment[] {
  return slices
    .flatMap(({ files, time }) => {
      const last = walCoverage(files, segmentSize, lineage).at(-1);
      return last === undefined ? [] : [{ lsn: last.to, time }];
    })
    .sort((a, b) => (a.lsn < b.lsn ? -1 : Number(a.lsn > b.lsn)));
}

/** The time of the last slice that does not go beyond `lsn`. */
function timeAt(moments: readonly Moment[], lsn: Lsn): number {
  return moments.findLast((moment) => moment.lsn <= lsn)?.time ?? 0;
}

function gapsBetween(ranges: readonly WalRange[], moments: readonly Moment[]): JournalGap[] {
  return ranges.slice(1).flatMap((range, index) => {
    const before = ranges[index];
    if (before === undefined) return [];
    const after = moments.find(({ lsn }) => lsn > range.from);
    return [
      {
        from: { lsn: before.to, time: timeAt(moments, before.to) },
        to: { lsn: range.from, time: after?.time ?? timeAt(moments, range.from) },
      },
    ];
  });
}
