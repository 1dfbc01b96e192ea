import { hostname, userInfo } from 'node:os';
import { encodeLock } from '../format/lock.ts';
import { Failure, isFailure } from '../kernel/failure.ts';
import type { Id } from '../kernel/id.ts';
import { lastCall } from '../kernel/last-call.ts';
import { STALE_AFTER_MS } from './lock-files.ts';
import { type LockOptions, waitUntilFree } from './lock-wait.ts';
import type { Repository } from './repository.ts';

export interface HeldLock {
  /** The name of its file now: a renewed lock has another. */
  readonly id: Id;
  /**
   * Resolves when the second look found nobody in the way, rejects with `repository.locked` otherwise (the lock is
   * released then). Reading may begin before; nothing may be written or removed.
   */
  readonly confirmed: Promise<void>;
  /** Aborts with `repository.lock-lost` when the lock could not be renewed or somebody removed it. */
  readonly signal: AbortSignal;
  /** Never rejects: a lock that cannot be removed goes stale. */
  release(): Promise<void>;
}

/** Writes the file of a lock, whoever may be in the way; the second look is up to `confirmed`. */
export async function writeLock(repository: Repository, options: LockOptions): Promise<HeldLock> {
  const id = await repository.saveFile('lock', ownLock(options), options.signal);
  return new FileLock(repository, options, id);
}

function ownLock(options: LockOptions): Buffer {
  const user = userInfo();
  return encodeLock({
    time: new Date(options.clock.now()).toISOString(),
    exclusive: options.exclusive,
    hostname: hostname(),
    username: user.username,
    pid: process.pid,
    uid: Math.max(0, user.uid),
    gid: Math.max(0, user.gid),
  });
}

class FileLock implements HeldLock {
  readonly confirmed: Promise<void>;
  readonly #repository: Repository;
  readonly #options: LockOptions;
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  /** Aborts a renewal that is under way. */
  readonly #renewal = new AbortController();
  readonly #renewing: Promise<void>;
  #id: Id;

  constructor(repository: Repository, options: LockOptions, id: Id) {
    this.#repository = repository;
    this.#options = options;
    this.#id = id;
    process.on('SIGHUP', survive);
    this.confirmed = this.#confirm();
    // Whoever awaits `confirmed` gets the failure; a caller that fails before that must not crash the process.
    this.confirmed.catch(() => undefined);
    this.#renewing = this.#renew();
  }

  get id(): Id {
    return this.#id;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    const limit = lastCall(this.#options.signal);
    limit.addEventListener('abort', () => this.#renewal.abort(limit.reason), { once: true });
    await this.#renewing;
    try {
      await this.#remove(this.#id, limit);
    } catch {
      // What the lock was for is done or has failed for a reason of its own. One that stays is stale as soon as this
      // process is gone, for other hosts in half an hour.
    } finally {
      process.off('SIGHUP', survive);
    }
  }

  async #confirm(): Promise<void> {
    try {
      // Whoever releases it before then has read what they wanted, and does not wait for the second look.
      const signal = joined(this.#stopped.signal, this.#options.signal);
      await this.#options.clock.sleep(SETTLE_MS, signal);
      await waitUntilFree(this.#repository, { ...this.#options, retryFor: 0, signal }, this.#id);
    } catch (error) {
      await this.release();
      throw error;
    }
  }

  /** Write the new file first, then remove the old one: at no moment is there none. */
  async #renew(): Promise<void> {
    const { clock } = this.#options;
    let renewedAt = clock.now();
    while (!this.#stopped.signal.aborted) {
      try {
        await clock.sleep(RENEW_EVERY_MS, this.#stopped.signal);
      } catch {
        return; // released
      }
      // The machine slept: somebody may have taken the lock for stale, and be done by now.
      if (clock.now() - renewedAt >= STALE_AFTER_MS) return this.#lose('our lock was not renewed in time');
      try {
        renewedAt = await this.#within(RENEW_EVERY_MS, (signal) => this.#replace(signal));
      } catch (error) {
        if (isFailure(error, 'backend.not-found')) return this.#lose('somebody removed our lock', error);
        // Others may take a lock for stale after 30 minutes: stop well before that.
        if (clock.now() - renewedAt < STALE_AFTER_MS - 2 * RENEW_EVERY_MS) continue;
        return this.#lose('our lock could not be renewed', error);
      }
    }
  }

  /** Returns the time that the new lock file bears. */
  async #replace(signal: AbortSignal): Promise<number> {
    await this.#repository.backend.stat({ type: 'lock', name: this.#id }, signal);
    const time = this.#options.clock.now();
    const old = this.#id;
    this.#id = await this.#repository.saveFile('lock', ownLock(this.#options), signal);
    try {
      await this.#remove(old, signal);
    } catch {
      // The new one counts; the old one goes stale.
    }
    return time;
  }

  /** A renewal that hangs must not keep us from seeing that the lock is lost. */
  async #within<Result>(
    milliseconds: number,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const done = new AbortController();
    const late = new AbortController();
    this.#options.clock.sleep(milliseconds, done.signal).then(
      () => late.abort(new Failure('backend.unreachable', 'the storage did not answer in time')),
      () => undefined,
    );
    try {
      return await work(AbortSignal.any([late.signal, this.#renewal.signal]));
    } finally {
      done.abort();
    }
  }

  #lose(why: string, cause?: unknown): void {
    this.#lost.abort(
      new Failure('repository.lock-lost', why, {
        subject: this.#repository.backend.location,
        hint: 'run the command again; what was saved so far is used then',
        cause,
      }),
    );
  }

  async #remove(id: Id, signal: AbortSignal): Promise<void> {
    try {
      await this.#repository.backend.remove({ type: 'lock', name: id }, signal);
    } catch (error) {
      if (!isFailure(error, 'backend.not-found')) throw error;
    }
  }
}

/**
 * A restic on this host that finds our lock sends SIGHUP to our process, to see whether it lives (its lock_unix.go), and
 * counts on it to be ignored: unhandled, the question would kill us. So whoever holds a lock survives a hang-up.
 */
function survive(): void {
  // Being handled is all that it takes.
}

export function joined(first: AbortSignal, second: AbortSignal | undefined): AbortSignal {
  return second === undefined ? first : AbortSignal.any([first, second]);
}

const SETTLE_MS = 200;
const RENEW_EVERY_MS = 5 * 60_000;
