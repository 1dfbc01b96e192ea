import type { StoredBase } from '../base/stored-bases.ts';
import type { Moment } from '../journal/recovery-windows.ts';
import type { StoredJournal, StoredWalFile } from '../journal/stored-journal.ts';
import { type Lineage, type WalRange, walCoverage } from '../wal/coverage.ts';
import { type Lsn, parseLsn } from '../wal/lsn.ts';
import { parseWalName, startOfSegment } from '../wal/segment.ts';
import type { RecoveryTarget } from './recovery-settings.ts';

/** A base and how far the journal leads on from it without a hole. */
export interface Reachable {
  readonly base: StoredBase;
  /** Where the base alone is consistent. */
  readonly from: Moment;
  /** The same as `from` where no journal follows. */
  readonly to: Moment;
}

/** A file of the lineage that is to be replayed, and what it holds of it. */
export interface LineageFile extends StoredWalFile {
  readonly from: Lsn;
  readonly to: Lsn;
}

/**
 * Pure: of each segment the file that recovery would choose (that of the newest timeline which leads through it), in the
 * order of the log. `to` is the first byte that it does not have.
 */
export function lineageFiles(journal: StoredJournal, lineage: Lineage): LineageFile[] {
  const chosen = new Map<Lsn, LineageFile & { readonly timeline: number; readonly whole: boolean }>();
  for (const found of journal.files) {
    const file = parseWalName(found.name, journal.segmentSize);
    if (file === undefined || file.kind === 'history') continue;
    const [range] = walCoverage([found], journal.segmentSize, lineage);
    if (range === undefined || range.to === range.from) continue;
    const from = startOfSegment(file.number, journal.segmentSize);
    const before = chosen.get(from);
    const whole = file.kind === 'segment';
    const better =
      before === undefined ||
      file.timeline > before.timeline ||
      (file.timeline === before.timeline && whole && !before.whole);
    if (better) chosen.set(from, { ...found, ...range, timeline: file.timeline, whole });
  }
  return [...chosen.values()].sort((a, b) => (a.from < b.from ? -1 : 1));
}

/** Pure: the bases of a lineage and how far one gets from each, in the order of the log. */
export function reachableFrom(
  bases: readonly StoredBase[],
  files: readonly LineageFile[],
  lineage: Lineage,
): Reachable[] {
  const ranges = unbroken(files);
  return bases
    .filter(({ record }) => isOn(lineage, record.end.timeline, parseLsn(record.end.lsn)))
    .map((base) => {
      const from = { lsn: parseLsn(base.record.end.lsn), time: Date.parse(base.record.endedAt) };
      const range = ranges.find((candidate) => candidate.from <= from.lsn && from.lsn < candidate.to);
      if (range === undefined) return { base, from, to: from };
      return { base, from, to: { lsn: range.to, time: Math.max(from.time, range.time) } };
    })
    .sort((a, b) => (a.from.lsn < b.from.lsn ? -1 : Number(a.from.lsn > b.from.lsn)));
}

/** Whether what `timeline` had written up to `lsn` is part of the lineage. */
function isOn({ timeline, history }: Lineage, owner: number, lsn: Lsn): boolean {
  if (owner === timeline) return true;
  const left = history.find((ancestor) => ancestor.timeline === owner);
  return left !== undefined && lsn <= left.end;
}

function unbroken(files: readonly LineageFile[]): (WalRange & { readonly time: number })[] {
  const ranges: { from: Lsn; to: Lsn; time: number }[] = [];
  for (const { from, to, time } of files) {
    const last = ranges.at(-1);
    if (last === undefined || last.to !== from) ranges.push({ from, to, time });
    else ranges[ranges.length - 1] = { from: last.from, to, time: Math.max(last.time, time) };
  }
  return ranges;
}

/** What of the journal is known to have been seen: nothing is said of what came later. */
export function lastSeen(files: readonly LineageFile[], reachable: readonly Reachable[]): number {
  return Math.max(0, ...files.map(({ time }) => time), ...reachable.map(({ to }) => to.time));
}

/**
 * Pure: the best base for a target, which is the newest from which WAL leads up to it without a hole. Undefined when there
 * is none. What happens in a transaction, or at a named point, is told by the WAL alone: for those the newest base of the
 * window that ends last.
 */
export function chooseBase(reachable: readonly Reachable[], target: RecoveryTarget): Reachable | undefined {
  switch (target.kind) {
    case 'lsn':
      return reachable.findLast(({ from, to }) => from.lsn <= target.lsn && target.lsn <= to.lsn);
    case 'time': {
      const time = target.instant.epochMilliseconds;
      return reachable.findLast(({ from, to }) => from.time < time && time <= to.time);
    }
    default: {
      const [last] = reachable.map(({ to }) => to.lsn).toSorted((a, b) => (a < b ? 1 : -1));
      return reachable.findLast(({ to }) => to.lsn === last);
    }
  }
}

/** Pure: the moments next to a target that is out of reach. */
export function nearest(
  reachable: readonly Reachable[],
  target: RecoveryTarget,
): { readonly before?: Moment; readonly after?: Moment } {
  const isBefore = ({ lsn, time }: Moment) =>
    target.kind === 'lsn'
      ? lsn <= target.lsn
      : target.kind === 'time' && time < target.instant.epochMilliseconds;
  const before = reachable.map(({ to }) => to).findLast(isBefore);
  const after = reachable.map(({ from }) => from).find((moment) => !isBefore(moment));
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}
