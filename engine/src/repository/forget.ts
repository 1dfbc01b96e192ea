import type { Clock } from '../kernel/clock.ts';
import { mapConcurrently } from '../kernel/concurrency.ts';
import { isFailure } from '../kernel/failure.ts';
import type { Id } from '../kernel/id.ts';
import { withLock } from './locks.ts';
import type { Repository } from './repository.ts';

export interface ForgetRun {
  readonly clock: Clock;
  /** How long to go on asking while somebody holds the repository, in milliseconds. */
  readonly retryLockFor?: number;
  /** Called after each snapshot that is gone. */
  readonly onRemoved?: (id: Id) => void;
  readonly signal?: AbortSignal;
}

/**
 * Removes snapshots, as a plan or a person has decided; their data stay until the next prune. Answers those that were
 * removed: one that is not there any more is none of them and no failure.
 *
 * One after the other, the oldest first and those that cannot be read before them: whatever stops it, what is left is
 * what was to stay plus the newest of what was to go, and the same plan can be made again from it.
 */
export async function forgetSnapshots(
  repository: Repository,
  ids: readonly Id[],
  run: ForgetRun,
): Promise<Id[]> {
  const { clock, retryLockFor: retryFor = 0, signal: outer } = run;
  const lock = { exclusive: true, clock, retryFor, ...(outer === undefined ? {} : { signal: outer }) };
  return await withLock(repository, lock, async (signal) => {
    const removed: Id[] = [];
    for (const id of await oldestFirst(repository, ids, signal)) {
      signal.throwIfAborted();
      try {
        await repository.backend.remove({ type: 'snapshot', name: id }, signal);
      } catch (error) {
        if (isFailure(error, 'backend.not-found')) continue;
        throw error;
      }
      removed.push(id);
      run.onRemoved?.(id);
    }
    return removed;
  });
}

async function oldestFirst(repository: Repository, ids: readonly Id[], signal: AbortSignal): Promise<Id[]> {
  const dated = await mapConcurrently(new Set(ids), repository.backend.connections, async (id) => {
    try {
      return { id, time: Date.parse((await repository.loadSnapshot(id, signal)).time) };
    } catch (error) {
      if (isFailure(error, 'repository.damaged') || isFailure(error, 'backend.not-found')) {
        return { id, time: Number.NEGATIVE_INFINITY };
      }
      throw error;
    }
  });
  return dated.sort((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time))).map(({ id }) => id);
}
