import type { IndexedRepository, Repository, StoredSnapshot } from '@holdfast/engine';

/**
 * A repository as it was at one moment, while others go on writing. The snapshots are listed before the index is read, so
 * all that they refer to is in it; the other way round a slice that a journal ships in between would seem damaged.
 */
export interface RepositoryView {
  /** Oldest first. */
  readonly snapshots: readonly StoredSnapshot[];
  readonly indexed: IndexedRepository;
}

export async function viewRepository(repository: Repository, signal?: AbortSignal): Promise<RepositoryView> {
  const snapshots = await repository.loadSnapshots(signal);
  return { snapshots, indexed: await repository.loadIndex(signal) };
}
