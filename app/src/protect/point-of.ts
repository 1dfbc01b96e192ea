import type { StoredSnapshot } from '@holdfast/engine';
import type { Point } from '../catalog/records.ts';
import { JOURNAL_TAG } from '../journal/slice.ts';
import { BASE_TAGS } from '../sources/postgres/base/base-record.ts';
import { EVIDENCE_TAGS } from '../sources/postgres/evidence/evidence.ts';
import { INCOMPLETE_TAG, sourceOf } from './labels.ts';

/** Pure: what a snapshot is to the catalog; undefined for one that no policy has taken. It is told by tags alone. */
export function pointOf(repository: string, snapshot: StoredSnapshot): Point | undefined {
  const { id, original = id, tags, time, summary } = snapshot;
  const source = sourceOf(tags);
  if (source === undefined) return undefined;
  return {
    repository,
    snapshot: id,
    original,
    source,
    kind: kindOf(tags),
    time: Date.parse(time),
    bytes: summary?.totalBytesProcessed ?? 0,
    added: summary?.dataAddedPacked ?? 0,
    complete: !tags.includes(INCOMPLETE_TAG),
  };
}

export function pointsOf(repository: string, snapshots: readonly StoredSnapshot[]): Point[] {
  return snapshots.flatMap((snapshot) => pointOf(repository, snapshot) ?? []);
}

function kindOf(tags: readonly string[]): Point['kind'] {
  const has = (wanted: readonly string[]) => wanted.every((tag) => tags.includes(tag));
  if (has([JOURNAL_TAG])) return 'slice';
  if (has(EVIDENCE_TAGS)) return 'evidence';
  if (has(BASE_TAGS)) return 'base';
  return 'snapshot';
}
