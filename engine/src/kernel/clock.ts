import { setTimeout as delay } from 'node:timers/promises';

/** The one source of time. Handed in everywhere, so that a test can turn it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `milliseconds`; rejects with the signal's reason when aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (milliseconds, signal) => {
    try {
      await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // Node rejects with an AbortError of its own that only carries the reason.
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/** A number in [0, 1): jitter and sampling only, never a key or a nonce. */
export type Random = () => number;
