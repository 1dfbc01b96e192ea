import type { Clock } from '@holdfast/engine';

interface Sleeper {
  readonly until: number;
  wake(): void;
}

export interface ManualClock extends Clock {
  /** Turns the clock forward and wakes, in order, whoever sleeps until then. */
  advance(milliseconds: number): Promise<void>;
}

export function manualClock(start = 1_000_000): ManualClock {
  let now = start;
  const sleepers = new Set<Sleeper>();
  return {
    now: () => now,
    sleep(milliseconds, signal) {
      return new Promise((resolve, reject) => {
        const sleeper = { until: now + milliseconds, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      });
    },
    async advance(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        const next = [...sleepers].sort((a, b) => a.until - b.until)[0];
        if (next === undefined || next.until > end) break;
        sleepers.delete(next);
        now = next.until;
        next.wake();
        // Lets the woken one run until it sleeps again.
        await new Promise(setImmediate);
      }
      now = end;
    },
  };
}
