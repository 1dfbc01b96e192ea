import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import {
  type Clock,
  Failure,
  type IndexedRepository,
  type RestoreProblem,
  restoreSnapshot,
} from '@holdfast/engine';
import type { JournalPlace } from '../../../journal/slice.ts';
import { listSlices, type StoredSlice } from '../../../journal/slice-list.ts';
import { PARTIAL } from '../../../journal/spool-files.ts';
import type { Lsn } from '../wal/lsn.ts';
import { parseWalName, segmentStart, startOfSegment } from '../wal/segment.ts';

export interface WalRestoreOptions {
  readonly place: JournalPlace;
  readonly segmentSize: number;
  /** Where recovery begins: slices that end before it are left out. */
  readonly from: Lsn;
  /** New or empty. */
  readonly directory: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Brings the WAL of a journal into a directory, for `restore_command = 'cp …/%f "%p"'`. Slices come in the order in which
 * they were taken, so that of a partial segment the last state stays; it gets its whole name then, since recovery asks
 * for no other and ends by itself where the records end. Answers the number of slices.
 */
export async function restoreWal(indexed: IndexedRepository, options: WalRestoreOptions): Promise<number> {
  const { place, directory, segmentSize, clock, signal } = options;
  const snapshots = await indexed.repository.loadSnapshots(signal);
  const slices = await listSlices(indexed, snapshots, place, signal);
  const needed = slices.filter((slice) =>
    isNeeded(slice, segmentStart(options.from, segmentSize), segmentSize),
  );
  for (const { id, tree } of needed) {
    const problems: RestoreProblem[] = [];
    await restoreSnapshot(
      indexed,
      { tree, subfolder: place.directory.join('/') },
      {
        clock,
        target: directory,
        ownership: 'none',
        // Written over by the next slice, or read at once: nobody gains from holes.
        sparse: false,
        onProblem: (problem) => problems.push(problem),
        ...(signal === undefined ? {} : { signal }),
      },
    );
    const [first] = problems;
    if (first === undefined) continue;
    throw new Failure('incomplete', `${first.path} could not be restored: ${first.message}`, {
      subject: `journal slice ${id.slice(0, 8)}`,
      hint: 'Recovery would end there without saying so. holdfast repo check tells what is damaged.',
    });
  }
  await nameWhole(directory, needed);
  return needed.length;
}

/** A history is always needed: without it recovery does not find the way to the latest timeline. */
function isNeeded(slice: StoredSlice, from: Lsn, segmentSize: number): boolean {
  return slice.files.some((node) => {
    const file = parseWalName(node.name.toString(), segmentSize);
    return (
      file?.kind === 'history' || (file !== undefined && startOfSegment(file.number, segmentSize) >= from)
    );
  });
}

async function nameWhole(directory: string, slices: readonly StoredSlice[]): Promise<void> {
  const names = new Set(slices.flatMap(({ files }) => files.map(({ name }) => name.toString())));
  for (const name of names) {
    if (!name.endsWith(PARTIAL)) continue;
    const whole = name.slice(0, -PARTIAL.length);
    if (names.has(whole)) await rm(path.join(directory, name));
    else await rename(path.join(directory, name), path.join(directory, whole));
  }
}
