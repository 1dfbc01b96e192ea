import type { LongestGap } from '../../policy/promises/promises.ts';
import { occurrences } from '../../schedule/occurrence.ts';

/** A week of each minute, or a year of each day: both changes of the clocks and every weekday. */
const MOST = 10_000;
const HORIZON = 400 * 86_400_000;

/** The longest time between two moments of a schedule within about a year from `now`. */
export function longestGapFrom(now: number): LongestGap {
  return (schedule) => {
    let last: number | undefined;
    let longest: number | undefined;
    let seen = 0;
    for (const moment of occurrences(schedule, now)) {
      if (last !== undefined) longest = Math.max(longest ?? 0, moment - last);
      last = moment;
      seen += 1;
      if (seen >= MOST || (moment - now > HORIZON && longest !== undefined)) break;
    }
    return longest;
  };
}
