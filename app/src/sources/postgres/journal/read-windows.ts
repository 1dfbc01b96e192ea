import type { RepositoryView } from '../../../journal/repository-view.ts';
import type { JournalPlace } from '../../../journal/slice.ts';
import { type BaseFacts, type RecoveryWindows, recoveryWindows } from './recovery-windows.ts';
import { lineageOf, readJournal } from './stored-journal.ts';
import { walFilesOf } from './wal-slices.ts';

/** What a repository can bring back of one system, on its latest timeline. */
export async function readWindows(
  view: RepositoryView,
  place: JournalPlace,
  segmentSize: number,
  bases: readonly BaseFacts[],
  signal?: AbortSignal,
): Promise<RecoveryWindows> {
  const journal = await readJournal(view, place, segmentSize, signal);
  const wal = journal.slices.map((slice) => ({ files: walFilesOf(slice), time: slice.time }));
  return recoveryWindows(bases, wal, segmentSize, lineageOf(journal, journal.latestTimeline || 1));
}
