import type { Clock } from '../kernel/clock.ts';

interface Sleeper {
  readonly wakesAt: number;
  readonly wake: () => void;
}

export interface VirtualClock extends Clock {
  /** Milliseconds of every sleep so far. */
  readonly sleeps: readonly number[];
}

/**
 * Time that passes only when nothing else is left to do: whenever the event loop is idle, the clock jumps to the
 * next sleeper and wakes it. Hours pass in no time, in the right order.
 */
export function virtualClock(start = 0): VirtualClock {
  let now = start;
  const sleeps: number[] = [];
  const sleepers = new Set<Sleeper>();

  function wakeNext(): void {
    const [next] = [...sleepers].sort((a, b) => a.wakesAt - b.wakesAt);
    if (next === undefined) return;
    sleepers.delete(next);
    now = Math.max(now, next.wakesAt);
    next.wake();
  }

  return {
    sleeps,
    now: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        sleeps.push(milliseconds);
        const sleeper: Sleeper = { wakesAt: now + milliseconds, wake: resolve };
        sleepers.add(sleeper);
        setImmediate(wakeNext);
        signal?.addEventListener('abort', () => {
          if (sleepers.delete(sleeper)) reject(signal.reason);
        });
      }),
  };
}
