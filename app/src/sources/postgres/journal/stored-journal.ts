import type { IndexedRepository, Node } from '@holdfast/engine';
import type { RepositoryView } from '../../../journal/repository-view.ts';
import type { JournalPlace } from '../../../journal/slice.ts';
import { listSlices, type StoredSlice } from '../../../journal/slice-list.ts';
import type { Lineage, WalFileFound } from '../wal/coverage.ts';
import { parseWalName } from '../wal/segment.ts';
import { parseTimelineHistory, type TimelineSwitch } from '../wal/timeline-history.ts';
import { walFilesOf } from './wal-slices.ts';

/** A file of a journal and where it lies. */
export interface StoredWalFile extends WalFileFound {
  readonly node: Node;
  readonly slice: StoredSlice;
  /** When its last byte had arrived, milliseconds since the epoch: what it holds was written before. */
  readonly time: number;
}

/** What a repository has of a system's journal. */
export interface StoredJournal {
  readonly segmentSize: number;
  readonly slices: readonly StoredSlice[];
  /** Of files with the same name the last one that was stored. */
  readonly files: readonly StoredWalFile[];
  /** The newest timeline that it has seen; 0 when it is empty. */
  readonly latestTimeline: number;
  /** By timeline, where it is known what came before. */
  readonly histories: ReadonlyMap<number, readonly TimelineSwitch[]>;
}

export async function readJournal(
  { indexed, snapshots }: RepositoryView,
  place: JournalPlace,
  segmentSize: number,
  signal?: AbortSignal,
): Promise<StoredJournal> {
  const slices = await listSlices(indexed, snapshots, place, signal);
  const files = new Map<string, StoredWalFile>();
  for (const slice of slices) for (const file of filesOf(slice)) files.set(file.name, file);
  const histories = new Map<number, readonly TimelineSwitch[]>();
  let latestTimeline = 0;
  for (const { name, node } of files.values()) {
    const file = parseWalName(name, segmentSize);
    if (file === undefined) continue;
    latestTimeline = Math.max(latestTimeline, file.timeline);
    if (file.kind === 'history') histories.set(file.timeline, await readHistory(indexed, node, signal));
  }
  return { segmentSize, slices, files: [...files.values()], latestTimeline, histories };
}

/** A timeline and what came before it, as far as the journal knows. */
export function lineageOf({ histories }: Pick<StoredJournal, 'histories'>, timeline: number): Lineage {
  return { timeline, history: histories.get(timeline) ?? [] };
}

function filesOf(slice: StoredSlice): StoredWalFile[] {
  const nodes = new Map(slice.files.map((node) => [node.name.toString(), node]));
  return walFilesOf(slice).flatMap((file) => {
    const node = nodes.get(file.name);
    return node === undefined ? [] : [{ ...file, node, slice, time: Number(node.mtime / 1_000_000n) }];
  });
}

async function readHistory(
  indexed: IndexedRepository,
  node: Node,
  signal: AbortSignal | undefined,
): Promise<TimelineSwitch[]> {
  const content = await Promise.all((node.content ?? []).map((id) => indexed.loadBlob('data', id, signal)));
  return parseTimelineHistory(Buffer.concat(content).toString());
}
