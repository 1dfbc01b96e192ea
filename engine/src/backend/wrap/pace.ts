import type { Clock } from '../../kernel/clock.ts';

/** Bytes, or whatever is counted, a second; asked for each time where it may change. Undefined: as fast as may be. */
export type Rate = number | (() => number | undefined);

/** A line that bytes pass through at a rate, first come, first served. */
export interface Pace {
  /** Waits until all that came before has passed, and takes the line for `bytes`. */
  turn(bytes: number, signal?: AbortSignal): Promise<void>;
  /** Takes the line for bytes that have been moved already, since their number was not known before. */
  charge(bytes: number): void;
}

/**
 * After `n` bytes the line is taken for `n / bytesPerSecond` seconds, however fast they went: over any stretch of time
 * no more than rate × time plus one file goes through, and an idle line saves nothing up for a burst.
 */
export function pace(rate: Rate, clock: Clock): Pace {
  let free = Number.NEGATIVE_INFINITY;

  function take(bytes: number): number {
    const start = Math.max(clock.now(), free);
    const bytesPerSecond = typeof rate === 'number' ? rate : (rate() ?? Number.POSITIVE_INFINITY);
    free = start + (bytes / bytesPerSecond) * 1000;
    return start;
  }

  return {
    async turn(bytes, signal) {
      const wait = take(bytes) - clock.now();
      if (wait > 0) await clock.sleep(wait, signal);
    },
    charge(bytes) {
      take(bytes);
    },
  };
}
