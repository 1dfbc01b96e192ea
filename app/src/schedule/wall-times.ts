import { type Cron, isDayOf } from './cron.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

/** Days from 1 January 1970 to the date that clocks in `timezone` show at `instant`. */
export function dayAt(instant: number, timezone: string): number {
  const { year, month, day } = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timezone);
  return Math.round(Date.UTC(year, month - 1, day) / DAY);
}

/**
 * The moments of one day, ascending: what the clocks on the wall show is looked up in the zone, and twice a year they
 * show an hour twice, or never. Then:
 *
 * - A schedule that names hours (`0 2 * * *`) means a time of the day and happens **once a day**: at a time that comes
 *   twice the first time, and at a time that never comes at the first moment after the gap. A nightly backup is neither
 *   left out nor made twice, and what waits for it begins no later than it would have.
 * - A schedule that names none (`0 * * * *`) means a distance: it happens **each real hour**, twice in an hour that
 *   comes twice, and nothing is caught up for an hour that never was, since as much time has passed as ever.
 */
export function instantsOfDay(cron: Cron, day: number, timezone: string): number[] {
  if (!isDayOf(cron, day)) return [];
  const begin = startOf(day, timezone);
  const times = cron.hours.flatMap((hour) => cron.minutes.map((minute) => hour * 60 + minute));
  if (startOf(day + 1, timezone) - begin === DAY) return times.map((time) => begin + time * MINUTE);
  const instants = times.flatMap((time) => instantsOf(day, time, timezone, cron.everyHour));
  return [...new Set(instants)].sort((a, b) => a - b);
}

function startOf(day: number, timezone: string): number {
  return dateOf(day).toZonedDateTime(timezone).epochMilliseconds;
}

function dateOf(day: number): Temporal.PlainDate {
  const date = new Date(day * DAY);
  return new Temporal.PlainDate(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
}

function instantsOf(day: number, time: number, timezone: string, everyHour: boolean): number[] {
  const wall = dateOf(day).toPlainDateTime(new Temporal.PlainTime(Math.floor(time / 60), time % 60));
  const earlier = wall.toZonedDateTime(timezone, { disambiguation: 'earlier' });
  if (!earlier.toPlainDateTime().equals(wall)) {
    // In a gap `earlier` is as long before it as the wall time is into it.
    const after = earlier.getTimeZoneTransition('next')?.epochMilliseconds;
    return everyHour || after === undefined ? [] : [after];
  }
  const later = wall.toZonedDateTime(timezone, { disambiguation: 'later' });
  const first = earlier.epochMilliseconds;
  return everyHour ? [first, later.epochMilliseconds] : [first];
}
