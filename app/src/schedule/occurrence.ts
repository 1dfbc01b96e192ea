import type { Schedule } from '../policy/model.ts';
import { type Cron, parseCron } from './cron.ts';
import { dayAt, instantsOfDay } from './wall-times.ts';

/** 29 February is up to eight years away, as from 2096 on. */
const FARTHEST_DAYS = 3000;

/**
 * The moments of a schedule after `after`, ascending, without its jitter; milliseconds since the epoch. Ends where
 * there is none for eight years. An expression that `checkCron` refuses, or a zone that is none, is a mistake of the
 * caller and throws a RangeError.
 */
export function* occurrences(schedule: Schedule, after: number): Generator<number, void> {
  const { when } = schedule;
  if (when.kind === 'never') return;
  if (when.kind === 'every') {
    for (let next = Math.floor(after / when.interval) + 1; ; next += 1) yield next * when.interval;
  }
  const cron = cronOf(when.expression);
  // A time that its day does not have may be moved into the next day: one day back is looked at as well.
  let day = dayAt(after, when.timezone) - 1;
  let last = after;
  for (let empty = 0; empty < FARTHEST_DAYS; empty += 1, day += 1) {
    for (const instant of instantsOfDay(cron, day, when.timezone)) {
      if (instant <= last) continue;
      yield instant;
      last = instant;
      empty = 0;
    }
  }
}

/** The moments in (`after`, `until`], ascending. */
export function occurrencesBetween(schedule: Schedule, after: number, until: number): number[] {
  const found: number[] = [];
  for (const instant of occurrences(schedule, after)) {
    if (instant > until) break;
    found.push(instant);
  }
  return found;
}

/** The first moment after `after`; undefined where there is none. */
export function nextOccurrence(schedule: Schedule, after: number): number | undefined {
  return occurrences(schedule, after).next().value ?? undefined;
}

function cronOf(expression: string): Cron {
  const read = parseCron(expression);
  if ('cron' in read) return read.cron;
  throw new RangeError(read.problem.message);
}
