import { Failure } from '../kernel/failure.ts';

/** A span of the calendar, all parts whole and not negative: what restic calls a duration. */
export interface CalendarDuration {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const UNITS = { y: 'years', m: 'months', d: 'days', h: 'hours' } as const;
type Unit = keyof typeof UNITS;

/** Reads restic's notation: `1y5m7d2h`, any of the units, each at most once. Fails with `usage`. */
export function parseCalendarDuration(text: string): CalendarDuration {
  const parts = [...text.trim().matchAll(/(\d{1,6})([ymdh])/g)];
  const units = new Set(parts.map((part) => part[2]));
  if (
    parts.length === 0 ||
    parts.map((part) => part[0]).join('') !== text.trim() ||
    units.size < parts.length
  ) {
    throw new Failure('usage', `"${text}" is no duration.`, {
      hint: 'Write years, months, days and hours as in 1y5m7d2h, or only some of them: 7d.',
    });
  }
  const duration = { years: 0, months: 0, days: 0, hours: 0 };
  for (const [, amount, unit] of parts) duration[UNITS[unit as Unit]] = Number(amount);
  return duration;
}

export function formatCalendarDuration(duration: CalendarDuration): string {
  return Object.entries(UNITS)
    .filter(([, part]) => duration[part] !== 0)
    .map(([unit, part]) => `${duration[part]}${unit}`)
    .join('');
}

export function isZero(duration: CalendarDuration): boolean {
  return formatCalendarDuration(duration) === '';
}

/**
 * `milliseconds` (since the epoch, of a wall clock read as if it were UTC) less `duration`. A day that its month
 * does not have runs over into the next one, as in Go's AddDate and so in restic: 31 March less a month is 3 March.
 * Undefined when the calendar does not reach back that far.
 */
export function subtractCalendarDuration(
  milliseconds: number,
  duration: CalendarDuration,
): number | undefined {
  const date = new Date(milliseconds);
  date.setUTCFullYear(
    date.getUTCFullYear() - duration.years,
    date.getUTCMonth() - duration.months,
    date.getUTCDate() - duration.days,
  );
  const earlier = date.getTime() - duration.hours * 3_600_000;
  return Number.isNaN(earlier) ? undefined : earlier;
}
