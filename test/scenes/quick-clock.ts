import { type Clock, systemClock } from '../../engine/src/kernel/clock.ts';

/** Time that runs so many times faster: minutes of patience, with real servers, in a second. */
export function quickClock(factor: number): Clock {
  const begun = Date.now();
  return {
    now: () => begun + (Date.now() - begun) * factor,
    sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / factor, signal),
  };
}
