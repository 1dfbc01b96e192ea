import {
  type SnapshotFilter as EngineFilter,
  type Failure,
  filterSnapshots,
  type Id,
  parseSnapshotReference,
  type Repository,
  type StoredSnapshot,
  selectSnapshot,
} from '@holdfast/engine';
import type { SnapshotFilter } from '../cli/snapshot-filter.ts';

/** A snapshot that somebody named, and the folder in it that was meant. */
export interface ChosenSnapshot {
  readonly snapshot: StoredSnapshot;
  /** The names on the way down; none for the whole. */
  readonly folder: readonly string[];
}

/** `reference`: an id, its beginning, `latest` or `latest~1`, perhaps with `:folder` behind. */
export async function chooseSnapshot(
  repository: Repository,
  reference: string,
  filter: SnapshotFilter,
  signal: AbortSignal,
): Promise<ChosenSnapshot> {
  const { selector, folder } = parseSnapshotReference(reference);
  const snapshots = await repository.loadSnapshots(signal);
  return { snapshot: selectSnapshot(snapshots, selector, engineFilter(filter)), folder };
}

/**
 * The snapshots named, in that order; all that pass the filter, oldest first, when none is. One that cannot be read
 * fails the call, unless somebody hears of it.
 */
export async function chooseSnapshots(
  repository: Repository,
  references: readonly string[],
  filter: SnapshotFilter,
  signal: AbortSignal,
  onDamaged?: (id: Id, failure: Failure) => void,
): Promise<StoredSnapshot[]> {
  const snapshots = await repository.loadSnapshots(signal, onDamaged);
  if (references.length === 0) return passing(snapshots, filter);
  const wanted = engineFilter(filter);
  return references.map((reference) => selectSnapshot(snapshots, reference, wanted));
}

/** Those that pass the filter, in their order. */
export function passing(snapshots: readonly StoredSnapshot[], filter: SnapshotFilter): StoredSnapshot[] {
  return filterSnapshots(snapshots, engineFilter(filter));
}

function engineFilter({ host = [], path = [], tag = [] }: SnapshotFilter): EngineFilter {
  return { hosts: host, paths: path, tags: tag };
}
