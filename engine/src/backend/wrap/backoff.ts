import type { Clock, Random } from '../../kernel/clock.ts';
import { isFailure } from '../../kernel/failure.ts';

export interface BackoffOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds from the first failure after which nothing is tried again. */
  readonly totalTime?: number;
  /** Milliseconds that the first wait lasts at most; doubles with every further one, up to `longestWait`. */
  readonly firstWait?: number;
  readonly longestWait?: number;
}

const MINUTE = 60_000;

/** A file that has been too short three times is short: time adds no bytes to it, and a check has more to read. */
const SHORT_READS = 3;

/**
 * Milliseconds to wait before the next try, after `failures` in a row. "Full jitter": anywhere between nothing and the
 * exponential bound, so that many clients that a server dropped together do not come back together.
 */
export function waitAfter(failures: number, options: Omit<BackoffOptions, 'clock'>): number {
  const { random, firstWait = 500, longestWait = MINUTE } = options;
  return random() * Math.min(longestWait, firstWait * 2 ** (failures - 1));
}

/** The patience for one call: how often it failed, since when, and whether to go on. */
export interface Patience {
  /** How many tries failed since the start or the last progress. */
  readonly failures: number;
  /** Counts a failure and says how long to wait before the next try, in milliseconds; undefined: give up. */
  afterFailure(error: unknown): number | undefined;
  /** Something came through: the next failure is a first one again. */
  progress(): void;
}

export function patience(options: BackoffOptions): Patience {
  const { clock, totalTime = 15 * MINUTE } = options;
  let failures = 0;
  let since = 0;
  return {
    get failures() {
      return failures;
    },
    afterFailure(error) {
      if (!isFailure(error) || !error.retry) return undefined;
      const now = clock.now();
      failures += 1;
      if (failures === 1) since = now;
      if (error.code === 'backend.short-read' && failures >= SHORT_READS) return undefined;
      const left = totalTime - (now - since);
      const wait = waitAfter(failures, options);
      // Later than it was asked for, or all who heard the same come together; but once more before patience ends.
      if (error.retryAfter !== undefined && left > 0) return Math.min(error.retryAfter + wait, left);
      return wait > left ? undefined : wait;
    },
    progress() {
      failures = 0;
    },
  };
}
