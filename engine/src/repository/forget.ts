import type { Clock } from '../kernel/clock.ts';
import { mapConcurrently } from '../kernel/concurrency.ts';
import { isFailure } from '../kernel/failure.ts';
import type { Id } from '../kernel/id.ts';
import { isRecord, saveRecord } from './forgotten/record.ts';
import { withLock } from './locks.ts';
import type { Repository } from './repository.ts';

export interface ForgetRun {
  readonly clock: Clock;
  /** How long to go on asking while somebody holds the repository, in milliseconds. */
  readonly retryLockFor?: number;
  /** Keep a record of them, so that they can be brought back until a prune has freed their data. */
  readonly undoable?: boolean;
  /** Snapshots that hold what these hold: when one of them is gone, none of these goes. */
  readonly standIns?: readonly Id[];
  /** Called after each snapshot that is gone. */
  readonly onRemoved?: (id: Id) => void;
  readonly signal?: AbortSignal;
}

/**
 * Removes snapshots, as a plan or a person has decided; their data stay until the next prune. Answers those that were
 * removed: one that is not there any more is none of them and no failure.
 *
 * The record is durable before the first goes. One after the other, the oldest first and those that cannot be read before them: whatever stops it, what is left is
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
    if (!(await areThere(repository, run.standIns ?? [], signal))) return removed;
    const found = await oldestFirst(repository, ids, signal);
    if (run.undoable === true) await keepRecord(repository, found, { clock, signal });
    for (const { id } of found) {
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

async function areThere(repository: Repository, ids: readonly Id[], signal: AbortSignal): Promise<boolean> {
  if (ids.length === 0) return true;
  const there = new Set<string>();
  for await (const { name } of repository.backend.list('snapshot', signal)) there.add(name);
  return ids.every((id) => there.has(id));
}

/** Records themselves are not worth one. */
async function keepRecord(
  repository: Repository,
  found: readonly Found[],
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const worthKeeping = found.filter(({ isRecord }) => !isRecord);
  const files = await mapConcurrently(worthKeeping, repository.backend.connections, async ({ id }) => {
    try {
      return [
        {
          id,
          sealed: await repository.backend.load({ type: 'snapshot', name: id }, undefined, options.signal),
        },
      ];
    } catch (error) {
      if (isFailure(error, 'backend.not-found')) return [];
      throw error;
    }
  });
  if (files.flat().length > 0) await saveRecord(repository, files.flat(), options);
}

interface Found {
  readonly id: Id;
  readonly time: number;
  readonly isRecord: boolean;
}

async function oldestFirst(
  repository: Repository,
  ids: readonly Id[],
  signal: AbortSignal,
): Promise<Found[]> {
  const dated = await mapConcurrently(new Set(ids), repository.backend.connections, async (id) => {
    try {
      const snapshot = await repository.recallSnapshot(id, signal);
      return { id, time: Date.parse(snapshot.time), isRecord: isRecord(snapshot) };
    } catch (error) {
      if (isFailure(error, 'repository.damaged') || isFailure(error, 'backend.not-found')) {
        return { id, time: Number.NEGATIVE_INFINITY, isRecord: false };
      }
      throw error;
    }
  });
  return dated.sort((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time)));
}
