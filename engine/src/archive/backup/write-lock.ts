import type { Clock } from '../../kernel/clock.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { beginLock, joined } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';

export interface WriteLockOptions {
  readonly clock: Clock;
  /** Nothing will be written, so nobody has to know. */
  readonly dryRun: boolean;
  readonly retryFor: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs `work` with a shared lock and the index. The index is read while the lock's second look is being waited for;
 * should somebody have removed index files in just that time, it is read again: nothing is believed that may have
 * been learnt before the lock counted.
 */
export async function withWriteLock<Result>(
  repository: Repository,
  options: WriteLockOptions,
  work: (indexed: IndexedRepository, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { clock, retryFor } = options;
  const outer = options.signal ?? new AbortController().signal;
  if (options.dryRun) return await work(await repository.loadIndex(outer), outer);
  const lock = await beginLock(repository, { exclusive: false, clock, retryFor, signal: outer });
  try {
    const [loaded] = await Promise.all([repository.loadIndex(outer), lock.confirmed]);
    const indexed = (await isCurrent(repository, loaded)) ? loaded : await repository.loadIndex(outer);
    return await work(indexed, joined(lock.signal, outer));
  } finally {
    await lock.release();
  }
}

/** Whether every index file that was read is still there. Further ones only mean that more could be deduplicated. */
async function isCurrent(repository: Repository, indexed: IndexedRepository): Promise<boolean> {
  const there = new Set<string>();
  for await (const { name } of repository.backend.list('index')) there.add(name);
  return indexed.index.files.isSubsetOf(there);
}
