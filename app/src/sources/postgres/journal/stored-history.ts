import { readFile } from 'node:fs/promises';
import type { IndexedRepository } from '@holdfast/engine';
import type { StoredSlice } from '../../../journal/slice-list.ts';
import type { Spool } from '../../../journal/spool.ts';
import { historyName } from '../wal/segment.ts';
import { parseTimelineHistory, type TimelineSwitch } from '../wal/timeline-history.ts';

export interface HistoryPlaces {
  readonly indexed: IndexedRepository;
  readonly slices: readonly StoredSlice[];
  readonly spool: Spool;
  readonly signal: AbortSignal;
}

/** What came before a timeline, as the spool or the repository has it; nothing for the first one. */
export async function historyOf(timeline: number, places: HistoryPlaces): Promise<readonly TimelineSwitch[]> {
  const { indexed, slices, spool, signal } = places;
  const name = historyName(timeline);
  if ((await spool.names()).includes(name)) {
    return parseTimelineHistory(await readFile(spool.pathOf(name), 'utf8'));
  }
  const node = slices.flatMap(({ files }) => files).find((file) => file.name.toString() === name);
  const content = await Promise.all((node?.content ?? []).map((id) => indexed.loadBlob('data', id, signal)));
  return parseTimelineHistory(Buffer.concat(content).toString());
}
