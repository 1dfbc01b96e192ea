import type { IndexedRepository, StoredSnapshot } from '@holdfast/engine';
import { BASE_TAGS, type BaseRecord, readBaseRecord } from './base-record.ts';

/** A base as it lies in the repository. */
export interface StoredBase {
  readonly snapshot: StoredSnapshot;
  readonly record: BaseRecord;
}

export function isBase({ tags }: Pick<StoredSnapshot, 'tags'>): boolean {
  return BASE_TAGS.every((tag) => tags.includes(tag));
}

/** The bases among these snapshots, in their order. */
export async function readBases(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  signal?: AbortSignal,
): Promise<StoredBase[]> {
  const bases: StoredBase[] = [];
  for (const snapshot of snapshots.filter(isBase)) {
    bases.push({ snapshot, record: await readBaseRecord(indexed, snapshot, signal) });
  }
  return bases;
}
