import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { decodeLock, encodeLock } from '../format/lock.ts';
import type { LockFile } from '../format/types.ts';
import type { Clock } from '../kernel/clock.ts';
import { mapConcurrently } from '../kernel/concurrency.ts';
import { Failure, isFailure } from '../kernel/failure.ts';
import { type Id, isId } from '../kernel/id.ts';
import { lastCall } from '../kernel/last-call.ts';
import type { Repository } from './repository.ts';

/**
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
export interface LockOptions {
  readonly exclusive: boolean;
  readonly clock: Clock;
  /** How long to go on asking when somebody else holds the repository, in milliseconds. 0: fail at once. */
  readonly retryFor?: number;
  /** A shared lock of the same work, which does not stand in the way. */
  readonly beside?: HeldLock;
  readonly signal?: AbortSignal;
}

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

/** Writes a lock after a first look. Throws `repository.locked` (exit 11) when somebody is in the way. */
export async function beginLock(repository: Repository, options: LockOptions): Promise<HeldLock> {
  await waitUntilFree(repository, options);
  return new FileLock(
    repository,
    options,
    await repository.saveFile('lock', ownLock(options), options.signal),
  );
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

function thisHost(): Host {
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
async function waitUntilFree(repository: Repository, options: LockOptions, own?: Id): Promise<void> {
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
const STALE_AFTER_MS = 30 * 60_000;
const FIRST_PAUSE_MS = 1_000;
const OFTEN_MS = 500;
const LONGEST_PAUSE_MS = 60_000;
/** As long as this an exclusive lock counts as one that will be gone in a moment; a renewed one does again. */
const YOUNG_MS = 2 * 60_000;
const MOMENT_MS = 60_000;
