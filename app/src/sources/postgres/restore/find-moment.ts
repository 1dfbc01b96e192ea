import type { IndexedRepository } from '@holdfast/engine';
import type { Lsn } from '../wal/lsn.ts';
import { segmentStart } from '../wal/segment.ts';
import { chooseBase, type LineageFile, type Reachable } from './moment.ts';
import type { RecoveryTarget } from './recovery-settings.ts';
import { scanWal, stopsAt } from './scan-wal.ts';

export interface FoundMoment {
  readonly chosen: Reachable;
  /** Where recovery sees that it is there; undefined at the end of all WAL. */
  readonly at?: Lsn;
  /**
   * No record behind the target: recovery would replay everything, not see that it is there, and fail. It is told to go
   * to the end instead, which is the same.
   */
  readonly isLast: boolean;
}

export interface MomentSearch {
  readonly indexed: IndexedRepository;
  readonly segmentSize: number;
  readonly inclusive: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Looks into the WAL itself, where names and times of files are not exact enough. Undefined when nothing leads there. */
export async function findMoment(
  reachable: readonly Reachable[],
  target: RecoveryTarget,
  search: MomentSearch,
): Promise<FoundMoment | undefined> {
  if (target.kind === 'lsn') return await findPosition(reachable, target.lsn, search);
  if (target.kind === 'xid' || target.kind === 'name') return await findMark(reachable, target, search);
  const chosen = chooseBase(reachable, target);
  if (chosen === undefined) return undefined;
  if (target.kind === 'immediate') return { chosen, at: chosen.from.lsn, isLast: false };
  if (target.kind === 'latest') return { chosen, isLast: false };
  // What lies in files that were complete before happened before, whatever the servers' clocks say by a little.
  const time = target.instant.epochMilliseconds - CLOCKS_APART;
  const files = chosen.files.filter((file) => file.time >= time);
  const { found } = await scan(files, target, search);
  return found === undefined ? { chosen, isLast: true } : { chosen, at: found.end, isLast: false };
}

/** A partial segment is known to a page only; where its records end is in its last one. */
async function findPosition(
  reachable: readonly Reachable[],
  lsn: Lsn,
  search: MomentSearch,
): Promise<FoundMoment | undefined> {
  const inside = chooseBase(reachable, { kind: 'lsn', lsn });
  const beyond = reachable.findLast(({ to }) => to.lsn < lsn && lsn <= to.lsn + PAGE_BYTES);
  const chosen = inside ?? beyond;
  if (chosen === undefined) return undefined;
  if (chosen.to.lsn - lsn > search.segmentSize) return { chosen, at: lsn, isLast: false };
  if (lsn === chosen.from.lsn && chosen.to.lsn === lsn) return { chosen, isLast: true };
  const files = chosen.files.filter(
    ({ from }) => from >= segmentStart(chosen.to.lsn - 1n, search.segmentSize),
  );
  const { last } = await scanWal(search.indexed, files, search.segmentSize, () => false, search.signal);
  if (last === undefined || last.end + ROUNDED_UP < lsn) {
    return inside === undefined ? undefined : { chosen, at: lsn, isLast: false };
  }
  // Recovery stops at the first record that begins there or later.
  return lsn > last.lsn ? { chosen, isLast: true } : { chosen, at: lsn, isLast: false };
}

/** From the newest base backwards: what somebody wants back has happened lately. */
async function findMark(
  reachable: readonly Reachable[],
  target: RecoveryTarget,
  search: MomentSearch,
): Promise<FoundMoment | undefined> {
  for (const [index, chosen] of reachable.entries().toArray().toReversed()) {
    const next = reachable[index + 1]?.from.lsn ?? chosen.to.lsn;
    const files = chosen.files.filter(({ from }) => from <= next);
    const { found } = await scan(files, target, search, chosen.from.lsn);
    if (found !== undefined) return { chosen, at: found.end, isLast: false };
  }
  return undefined;
}

async function scan(
  files: readonly LineageFile[],
  target: RecoveryTarget,
  { indexed, segmentSize, inclusive, signal }: MomentSearch,
  /** What comes before the base is consistent is no place to stop. */
  from: Lsn = 0n,
) {
  const stops = stopsAt(target, inclusive);
  return await scanWal(indexed, files, segmentSize, (mark) => mark.lsn >= from && stops(mark), signal);
}

const PAGE_BYTES = 8192n;
/** A position between two records is told behind the header of the next page, and at a multiple of 8. */
const ROUNDED_UP = 48n;
/** Milliseconds by which the clock of the server and ours may differ. */
const CLOCKS_APART = 60_000;
