import type { Clock } from '../../kernel/clock.ts';

/** A line that bytes pass through at a fixed rate, first come, first served. */
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
export function pace(bytesPerSecond: number, clock: Clock): Pace {
  let free = Number.NEGATIVE_INFINITY;

  function take(bytes: number): number {
    const start = Math.max(clock.now(), free);
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
