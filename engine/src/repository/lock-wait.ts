import type { LockFile } from '../format/types.ts';
import type { Clock } from '../kernel/clock.ts';
import { Failure } from '../kernel/failure.ts';
import type { Id } from '../kernel/id.ts';
import { isStale, listLocks, type StoredLock, thisHost } from './lock-files.ts';
import type { Repository } from './repository.ts';

export interface LockOptions {
  readonly exclusive: boolean;
  readonly clock: Clock;
  /** How long to go on asking when somebody else holds the repository, in milliseconds. 0: fail at once. */
  readonly retryFor?: number;
  /** A shared lock of the same work, which does not stand in the way. */
  readonly beside?: { readonly id: Id };
  readonly signal?: AbortSignal;
}

/** The first lock that stands in the way, if there is one. */
async function findObstacle(
  repository: Repository,
  options: LockOptions,
  own?: Id,
): Promise<StoredLock | undefined> {
  const now = options.clock.now();
  const host = thisHost();
  for (const found of await listLocks(repository, options.signal, own)) {
    const { id, lock } = found;
    if (id === options.beside?.id) continue;
    if (lock !== undefined && isStale(lock, now, host)) continue;
    if (lock !== undefined && !lock.exclusive && !options.exclusive) continue;
    return found;
  }
  return undefined;
}

/** Throws `repository.locked` when somebody is still in the way after `retryFor`, or a moment for whoever needs only that. */
export async function waitUntilFree(repository: Repository, options: LockOptions, own?: Id): Promise<void> {
  const { clock, retryFor = 0, signal } = options;
  const began = clock.now();
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const obstacle = await findObstacle(repository, options, own);
    if (obstacle === undefined) return;
    const brief = !options.exclusive && isYoung(obstacle.lock, clock.now());
    // A moment between two others is short: whoever is after that looks often.
    const often = brief || options.beside !== undefined;
    const patience = brief ? Math.max(retryFor, MOMENT_MS) : retryFor;
    const left = began + patience - clock.now();
    if (left <= 0) throw lockedBy(repository, obstacle.lock, options);
    await clock.sleep(Math.min(often ? OFTEN_MS : pause, left), signal);
  }
}

function isYoung(lock: LockFile | undefined, now: number): boolean {
  return lock?.exclusive === true && now - Date.parse(lock.time) < YOUNG_MS;
}

function lockedBy(repository: Repository, lock: LockFile | undefined, options: LockOptions): Failure {
  const holder =
    lock === undefined
      ? 'a lock that cannot be read'
      : `process ${lock.pid} of ${lock.username} on ${lock.hostname}, ${lock.exclusive ? 'exclusively ' : ''}since ${lock.time}`;
  return new Failure('repository.locked', `the repository is locked by ${holder}`, {
    subject: repository.backend.location,
    hint: options.exclusive
      ? 'wait until it is done (--retry-lock 10m), or run holdfast repo unlock if that process is gone'
      : 'somebody removes data from this repository: wait (--retry-lock 10m), or run holdfast repo unlock if that process is gone',
  });
}

export const FIRST_PAUSE_MS = 1_000;
export const OFTEN_MS = 500;
const LONGEST_PAUSE_MS = 60_000;
/** As long as this an exclusive lock counts as one that will be gone in a moment; a renewed one does again. */
const YOUNG_MS = 2 * 60_000;
const MOMENT_MS = 60_000;
