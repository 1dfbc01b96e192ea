import type { IndexedRepository, Node } from '@holdfast/engine';
import type { JournalPlace } from '../../../journal/slice.ts';
import { listSlices, type StoredSlice } from '../../../journal/slice-list.ts';
import type { Lineage } from '../wal/coverage.ts';
import { parseWalName } from '../wal/segment.ts';
import { parseTimelineHistory } from '../wal/timeline-history.ts';
import { type BaseFacts, type RecoveryWindows, recoveryWindows } from './recovery-windows.ts';
import { walFilesOf } from './wal-slices.ts';

/** What a repository can bring back of one system, on its latest timeline. */
export async function readWindows(
  indexed: IndexedRepository,
  place: JournalPlace,
  segmentSize: number,
  bases: readonly BaseFacts[],
  signal?: AbortSignal,
): Promise<RecoveryWindows> {
  const snapshots = await indexed.repository.loadSnapshots(signal);
  const slices = await listSlices(indexed, snapshots, place, signal);
  const lineage = await latestLineage(indexed, slices, segmentSize, signal);
  const wal = slices.map((slice) => ({ files: walFilesOf(slice), time: slice.time }));
  return recoveryWindows(bases, wal, segmentSize, lineage);
}

async function latestLineage(
  indexed: IndexedRepository,
  slices: readonly StoredSlice[],
  segmentSize: number,
  signal: AbortSignal | undefined,
): Promise<Lineage> {
  let latest = { timeline: 1, history: undefined as Node | undefined };
  for (const node of slices.flatMap(({ files }) => files)) {
    const file = parseWalName(node.name.toString(), segmentSize);
    if (file === undefined || file.timeline < latest.timeline) continue;
    const history = file.kind === 'history' ? node : undefined;
    if (file.timeline > latest.timeline) latest = { timeline: file.timeline, history };
    else latest.history ??= history;
  }
  const content = await Promise.all(
    (latest.history?.content ?? []).map((id) => indexed.loadBlob('data', id, signal)),
  );
  return { timeline: latest.timeline, history: parseTimelineHistory(Buffer.concat(content).toString()) };
}
