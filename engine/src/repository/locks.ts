import { isFailure } from '../kernel/failure.ts';
import { type HeldLock, joined, writeLock } from './held-lock.ts';
import { FIRST_PAUSE_MS, type LockOptions, OFTEN_MS, waitUntilFree } from './lock-wait.ts';
import type { Repository } from './repository.ts';

/*
 * restic's locks (restic design, "Locks"). A lock is a file: many shared ones may exist, an exclusive one only alone.
 *
 * Taking one is: look for others, write ours, wait a moment, look again. Of two that write at the same time at least
 * one sees the other and gives way; the wait lets a file that is just being written appear. A holder writes a new
 * file every five minutes and removes the old one; a lock that was not renewed for half an hour, or whose process on
 * this host is gone, is stale and holds nobody up. A process of this host that somebody has stopped cannot renew, but
 * will go on where it was: its lock never goes stale.
 *
 * An exclusive lock that is young may be gone in a moment, as those are under which a prune marks: whoever wants a
 * shared one waits for it for a minute, even at the second look, with the own lock in place. Whoever wants an exclusive
 * one never waits with it in place, so the two cannot wait for each other.
 */

/** Writes a lock after a first look. Throws `repository.locked` (exit 11) when somebody is in the way. */
export async function beginLock(repository: Repository, options: LockOptions): Promise<HeldLock> {
  await waitUntilFree(repository, options);
  return await writeLock(repository, options);
}

/** Takes a lock that counts already: nobody was in the way at the second look either. */
export async function takeLock(repository: Repository, options: LockOptions): Promise<HeldLock> {
  const { clock, retryFor = 0 } = options;
  const deadline = clock.now() + retryFor;
  for (;;) {
    const left = Math.max(0, deadline - clock.now());
    const begun = await beginLock(repository, { ...options, retryFor: left });
    try {
      await begun.confirmed;
      return begun;
    } catch (error) {
      // Two that met give way to each other, and try again at different times: the name of a lock is random.
      const least = options.beside === undefined ? FIRST_PAUSE_MS : OFTEN_MS;
      const pause = least * (1 + Number.parseInt(begun.id.slice(0, 4), 16) / 0x10000);
      if (!isFailure(error, 'repository.locked') || clock.now() + pause >= deadline) throw error;
      await clock.sleep(pause, options.signal);
    }
  }
}

/** Takes a lock, runs `work`, gives the lock back whatever happens. */
export async function withLock<Result>(
  repository: Repository,
  options: LockOptions,
  work: (signal: AbortSignal, lock: HeldLock) => Promise<Result>,
): Promise<Result> {
  const lock = await takeLock(repository, options);
  try {
    return await work(joined(lock.signal, options.signal), lock);
  } finally {
    await lock.release();
  }
}
