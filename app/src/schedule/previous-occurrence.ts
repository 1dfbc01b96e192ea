import type { Schedule } from '../policy/model.ts';
import { occurrencesBetween } from './occurrence.ts';

/** The last moment of a schedule up to `until`; undefined where there was none for more than a year. */
export function previousOccurrence(schedule: Schedule, until: number): number | undefined {
  const { when } = schedule;
  if (when.kind === 'never') return undefined;
  if (when.kind === 'every') return Math.floor(until / when.interval) * when.interval;
  // Looked for ever farther back, so that an hourly one does not cost a year of hours.
  for (const distance of [2 * HOUR, 2 * DAY, 40 * DAY, 400 * DAY]) {
    const last = occurrencesBetween(schedule, until - distance, until).at(-1);
    if (last !== undefined) return last;
  }
  return undefined;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
