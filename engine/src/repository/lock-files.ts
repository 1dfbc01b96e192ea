import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { decodeLock } from '../format/lock.ts';
import type { LockFile } from '../format/types.ts';
import type { Clock } from '../kernel/clock.ts';
import { mapConcurrently } from '../kernel/concurrency.ts';
import { isFailure } from '../kernel/failure.ts';
import { type Id, isId } from '../kernel/id.ts';
import type { Repository } from './repository.ts';

/** Every lock there is but the caller's `own`, with its file's id; unreadable ones have no content. */
export async function listLocks(
  repository: Repository,
  signal?: AbortSignal,
  own?: Id,
): Promise<StoredLock[]> {
  const names: Id[] = [];
  for await (const { name, size } of repository.backend.list('lock', signal)) {
    // An empty file is what an interrupted upload leaves behind on some servers.
    if (isId(name) && size > 0 && name !== own) names.push(name);
  }
  const found = await mapConcurrently(names, repository.backend.connections, (id) =>
    readLock(repository, id, signal),
  );
  return found.filter((lock) => lock !== undefined);
}

/** Undefined when it was released between the listing and the look: no longer in anybody's way. */
async function readLock(
  repository: Repository,
  id: Id,
  signal: AbortSignal | undefined,
): Promise<StoredLock | undefined> {
  try {
    return { id, lock: decodeLock(await repository.loadFile({ type: 'lock', name: id }, signal)) };
  } catch (error) {
    if (isFailure(error, 'backend.not-found')) return undefined;
    if (!isFailure(error, 'repository.damaged')) throw error;
    return { id };
  }
}

export interface StoredLock {
  readonly id: Id;
  readonly lock?: LockFile;
}

/** Removes stale locks, or all of them; returns those that were removed. */
export async function removeLocks(
  repository: Repository,
  options: { readonly all: boolean; readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<StoredLock[]> {
  const removed: StoredLock[] = [];
  for (const found of await listLocks(repository, options.signal)) {
    const stale = found.lock === undefined || isStale(found.lock, options.clock.now(), thisHost());
    if (!options.all && !stale) continue;
    try {
      await repository.backend.remove({ type: 'lock', name: found.id }, options.signal);
      removed.push(found);
    } catch (error) {
      if (!isFailure(error, 'backend.not-found')) throw error;
    }
  }
  return removed;
}

/** Pure: whether a lock holds nobody up any more. `now` in milliseconds since the epoch. */
export function isStale(lock: LockFile, now: number, host: Host): boolean {
  const here = lock.hostname === host.name;
  if (here && !host.isAlive(lock.pid)) return true;
  return now - Date.parse(lock.time) > STALE_AFTER_MS && !(here && host.isStopped(lock.pid));
}

export interface Host {
  readonly name: string;
  isAlive(pid: number): boolean;
  /** By a signal or a debugger, so that it goes on when it is told to. */
  isStopped(pid: number): boolean;
}

export function thisHost(): Host {
  return {
    name: hostname(),
    isAlive: (pid) => {
      try {
        process.kill(pid, 0);
        return true;
      } catch (error) {
        // Alive, but another user's.
        return (error as NodeJS.ErrnoException).code === 'EPERM';
      }
    },
    isStopped: (pid) => {
      try {
        // proc_pid_stat(5): `pid (name) state …`, and a name may hold parentheses itself.
        const status = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return /^[Tt]$/.test(status.charAt(status.lastIndexOf(')') + 2));
      } catch {
        // Gone, or a system that does not tell.
        return false;
      }
    },
  };
}

/** A lock that was not renewed for so long holds nobody up; its holder sees that it is lost before. */
export const STALE_AFTER_MS = 30 * 60_000;
