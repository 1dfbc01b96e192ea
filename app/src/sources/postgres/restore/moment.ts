import type { StoredBase } from '../base/stored-bases.ts';
import type { Moment } from '../journal/recovery-windows.ts';
import type { StoredJournal, StoredWalFile } from '../journal/stored-journal.ts';
import { isOn, type Lineage, usable, type WalRange } from '../wal/coverage.ts';
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
  /** WAL that leads from one to the other, in the order of the log, from the segment on in which the base ends. */
  readonly files: readonly LineageFile[];
}

/** A file of the lineage that is to be replayed, and what it holds of it. */
export interface LineageFile extends StoredWalFile {
  readonly from: Lsn;
  readonly to: Lsn;
}

/**
 * Pure: of each segment the file that recovery would choose (that of the newest timeline which leads through it), in the
 * order of the log. `to` is the first byte that it is not known to have: a partial segment is known by whole pages, so that
 * one whose first page is being filled begins and ends at the same place, and is still to be replayed.
 */
export function lineageFiles({ files, segmentSize }: StoredJournal, lineage: Lineage): LineageFile[] {
  const chosen = new Map<Lsn, { readonly file: LineageFile; readonly rank: number }>();
  for (const found of files) {
    const parsed = parseWalName(found.name, segmentSize);
    if (parsed === undefined || parsed.kind === 'history') continue;
    const from = startOfSegment(parsed.number, segmentSize);
    const limit = usable(parsed.timeline, from, lineage);
    if (limit <= from) continue;
    const isWhole = parsed.kind === 'segment';
    const end = isWhole ? from + BigInt(segmentSize) : (found.to ?? from);
    const rank = 2 * parsed.timeline + Number(isWhole);
    if (rank <= (chosen.get(from)?.rank ?? 0)) continue;
    chosen.set(from, { file: { ...found, from, to: end < limit ? end : limit }, rank });
  }
  return [...chosen.values()].map(({ file }) => file).sort((a, b) => (a.from < b.from ? -1 : 1));
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
      // WAL that ends before the base does would be preferred to the base's own, and lead nowhere.
      const range = ranges.find((candidate) => candidate.from <= from.lsn && from.lsn <= candidate.to);
      if (range === undefined) return { base, from, to: from, files: [] };
      const following = range.files.filter((file) => file.from > from.lsn || file.to >= from.lsn);
      const time = following.reduce((latest, file) => Math.max(latest, file.time), from.time);
      return { base, from, to: { lsn: range.to, time }, files: following };
    })
    .sort((a, b) => (a.from.lsn < b.from.lsn ? -1 : Number(a.from.lsn > b.from.lsn)));
}

function unbroken(files: readonly LineageFile[]): (WalRange & { readonly files: LineageFile[] })[] {
  const ranges: { from: Lsn; to: Lsn; files: LineageFile[] }[] = [];
  for (const file of files) {
    const last = ranges.at(-1);
    if (last === undefined || last.to !== file.from)
      ranges.push({ from: file.from, to: file.to, files: [file] });
    else {
      last.to = file.to;
      last.files.push(file);
    }
  }
  return ranges;
}

/** What of the journal is known to have been seen: nothing is said of what came later. */
export function lastSeen(files: readonly LineageFile[], reachable: readonly Reachable[]): number {
  const times = [...files, ...reachable.map(({ to }) => to)].map(({ time }) => time);
  return times.reduce((latest, time) => Math.max(latest, time), 0);
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
      return reachable.findLast(({ from, to }) => from.time < time && time <= to.time + TICK);
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

/**
 * Milliseconds. When WAL came is told by its file, and kernels write that down by a clock that ticks this coarsely: what happened
 * a moment after is in it all the same. Whether anything did, its records say.
 */
const TICK = 10;
