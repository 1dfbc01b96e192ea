import type { Snapshot, StoredSnapshot } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure, isFailure } from '../../kernel/failure.ts';
import { joined } from '../../repository/held-lock.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { KeptIndex } from '../../repository/kept-index.ts';
import { beginLock } from '../../repository/locks.ts';
import type { Repository } from '../../repository/repository.ts';
import { unmarkNeeded } from '../../repository/unmark.ts';

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
  /** The end of a span: everything that the snapshot refers to is durable and indexed, and it is saved. */
  readonly saveSnapshot: (snapshot: Snapshot) => Promise<StoredSnapshot>;
}

/**
 * One span of a writer (ADR 010): lock, index, work, a last look, snapshot. Runs `work` with a shared lock and the index. Work begins while the lock's second look is still being waited for, and
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
    const indexed = await repository.loadIndex(outer);
    const mayWrite = Promise.resolve();
    return await work({ indexed, signal: outer, mayWrite, saveSnapshot: saverOf(indexed, mayWrite, outer) });
  }
  const lock = await beginLock(repository, { exclusive: false, clock, retryFor, signal: outer });
  try {
    const signal = joined(lock.signal, outer);
    for (;;) {
      const indexed = await (kept === undefined ? repository.loadIndex(outer) : kept.current(outer));
      const mayWrite = assertCurrent(indexed, lock.confirmed, outer);
      // Work that fails for another reason first must not leave this one unheard.
      mayWrite.catch(() => undefined);
      try {
        return await work({ indexed, signal, mayWrite, saveSnapshot: saverOf(indexed, mayWrite, signal) });
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
  indexed: IndexedRepository,
  confirmed: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  await confirmed;
  if (!(await isCurrent(indexed, signal))) throw new IndexChanged();
}

/** Whether no index file that was read or written is gone: only by that is a pack marked or removed. */
async function isCurrent({ repository, index }: IndexedRepository, signal: AbortSignal): Promise<boolean> {
  const there = new Set<string>();
  for await (const { name } of repository.backend.list('index', signal)) there.add(name);
  return index.files.isSubsetOf(there);
}

/**
 * While our lock counts nobody replaces index files. If somebody did, it was taken away from us: what the snapshot needs
 * is looked for, and taken back where it is only marked. Better no snapshot than one that lacks something.
 */
function saverOf(
  indexed: IndexedRepository,
  mayWrite: Promise<void>,
  signal: AbortSignal,
): WriteAccess['saveSnapshot'] {
  const { repository } = indexed;
  return async (snapshot) => {
    await mayWrite;
    if (!(await isCurrent(indexed, signal))) {
      try {
        await unmarkNeeded(repository, [snapshot.tree], signal);
      } catch (error) {
        if (!isFailure(error, 'repository.blob-missing')) throw error;
        throw new Failure('repository.lock-lost', 'somebody removed data in spite of our lock', {
          subject: repository.backend.location,
          hint: 'run the command again; what is still there is used then',
          cause: error,
        });
      }
    }
    return { ...snapshot, id: await repository.saveSnapshot(snapshot, signal) };
  };
}
