import type { Clock } from '../../kernel/clock.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { KeptIndex } from '../../repository/kept-index.ts';
import { beginLock, joined } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';

export interface WriteLockOptions {
  readonly clock: Clock;
  /** Nothing will be written, so nobody has to know. */
  readonly dryRun: boolean;
  readonly retryFor: number;
  readonly signal: AbortSignal | undefined;
  /** Instead of reading the whole index: for many small pieces of work, one after the other. */
  readonly kept?: KeptIndex;
}

/** What work under a lock may use. */
export interface WriteAccess {
  readonly indexed: IndexedRepository;
  /** Aborts when the caller's signal does, or when the lock is lost. */
  readonly signal: AbortSignal;
  /** Resolves when the lock counts. Nothing may be saved before. */
  readonly mayWrite: Promise<void>;
}

/**
 * Runs `work` with a shared lock and the index. Work begins while the lock's second look is still being waited for, and
 * must save nothing before `mayWrite` resolves. Should somebody have removed index files in just that time, it is
 * begun again with the index as it is then: nothing is believed that may have been learnt before the lock counted.
 */
export async function withWriteLock<Result>(
  repository: Repository,
  options: WriteLockOptions,
  work: (access: WriteAccess) => Promise<Result>,
): Promise<Result> {
  const { clock, retryFor, kept } = options;
  const outer = options.signal ?? new AbortController().signal;
  if (options.dryRun) {
    return await work({
      indexed: await repository.loadIndex(outer),
      signal: outer,
      mayWrite: Promise.resolve(),
    });
  }
  const lock = await beginLock(repository, { exclusive: false, clock, retryFor, signal: outer });
  try {
    const signal = joined(lock.signal, outer);
    for (;;) {
      const indexed = await (kept === undefined ? repository.loadIndex(outer) : kept.current(outer));
      const mayWrite = assertCurrent(repository, indexed, lock.confirmed, outer);
      // Work that fails for another reason first must not leave this one unheard.
      mayWrite.catch(() => undefined);
      try {
        return await work({ indexed, signal, mayWrite });
      } catch (error) {
        kept?.drop();
        if (!(error instanceof IndexChanged)) throw error;
      }
    }
  } finally {
    await lock.release();
  }
}

/** Index files were removed between our reading them and our lock counting. */
class IndexChanged extends Error {}

/** Every index file that was read must still be there. Further ones only mean that more could be deduplicated. */
async function assertCurrent(
  repository: Repository,
  indexed: IndexedRepository,
  confirmed: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  await confirmed;
  const there = new Set<string>();
  for await (const { name } of repository.backend.list('index', signal)) there.add(name);
  if (!indexed.index.files.isSubsetOf(there)) throw new IndexChanged();
}
