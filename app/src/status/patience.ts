/** How late is late. All in milliseconds; in proportion to the interval, so that a schedule of seconds is judged in seconds. */

const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** For a run to begin and to save something: an eighth of the interval, 5 s to 1 h. */
export function runGrace(interval: number): number {
  return clamp(interval / 8, 5 * SECOND, HOUR);
}

/** For a point to reach the places that it is copied to: half of the interval, 10 s to 6 h. */
export function copyGrace(interval: number): number {
  return clamp(interval / 2, 10 * SECOND, 6 * HOUR);
}

/** After so long what was looked at once per interval has not been looked at recently enough. */
export function staleAfter(interval: number): number {
  return 2 * interval + runGrace(interval);
}

/** Journals and the control plane show signs of life every few seconds. */
export const SILENCE = 60 * SECOND;

/** Assumed where a schedule says nothing of how often. */
export const UNKNOWN_INTERVAL = 24 * HOUR;

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
