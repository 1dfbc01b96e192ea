import { InvalidArgumentError } from 'commander';

/** Readers of option values. What they throw, commander turns into a usage failure that names the option. */

const SIZE = /^(\d+(?:\.\d+)?)([kmgt]?)(?:i?b)?$/i;
const POWERS: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4 };
const GO_DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const DURATION_PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;
const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const CALENDAR_SPAN = /^(?:(\d+)y)?(?:(\d+)m)?(?:(\d+)d)?(?:(\d+)h)?$/;

/** A span as calendars count: a month is no fixed time. restic's `1y5m7d2h`. */
export interface CalendarSpan {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

/** Bytes. The suffixes k, M, G, T are powers of 1024 here, as in restic: a limit must mean the same in both. */
export function parseSize(text: string): number {
  const match = SIZE.exec(text.trim());
  if (match === null)
    throw new InvalidArgumentError('It is a number with k, M, G or T behind it, such as 500M.');
  return Math.floor(Number(match[1]) * 1024 ** (POWERS[(match[2] ?? '').toLowerCase()] ?? 0));
}

/** Milliseconds, from `30s`, `5m`, `1h30m`. */
export function parseDuration(text: string): number {
  if (!GO_DURATION.test(text)) throw new InvalidArgumentError('It is a duration such as 30s, 5m or 1h30m.');
  let milliseconds = 0;
  for (const [, amount, unit] of text.matchAll(DURATION_PART)) {
    milliseconds += Number(amount) * (MILLISECONDS[unit ?? ''] ?? 0);
  }
  return milliseconds;
}

export function parseCalendarSpan(text: string): CalendarSpan {
  const match = CALENDAR_SPAN.exec(text);
  if (match === null || text === '') {
    throw new InvalidArgumentError('It is a span such as 7d, 3m or 1y5m7d2h (years, months, days, hours).');
  }
  const [, years = '0', months = '0', days = '0', hours = '0'] = match;
  return { years: Number(years), months: Number(months), days: Number(days), hours: Number(hours) };
}

/** A whole number from 1 on. */
export function parsePositive(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1 on.');
  return Number(text);
}

/** How many to keep: a whole number from 1 on, or `unlimited`. */
export function parseKeepCount(text: string): number {
  return text === 'unlimited' || text === '-1' ? Number.POSITIVE_INFINITY : parsePositive(text);
}

/** Milliseconds since the epoch: `2026-11-21 10:44:07` in the machine's zone, or RFC 3339 with its own. */
export function parseMoment(timeZone: string): (text: string) => number {
  return (text) => {
    try {
      return /(?:Z|[+-]\d\d:\d\d)$/i.test(text)
        ? Temporal.Instant.from(text).epochMilliseconds
        : Temporal.PlainDateTime.from(text).toZonedDateTime(timeZone).epochMilliseconds;
    } catch {
      throw new InvalidArgumentError(
        'It is a time such as "2026-11-21 10:44:07" or 2026-11-21T10:44:07+07:00.',
      );
    }
  };
}

/** For an option that may be given several times: all its values in order. */
export function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}

/** For an option that may be given several times and whose values are lists: restic's `--tag a,b --tag c`. */
export function collectLists(
  value: string,
  earlier: readonly (readonly string[])[] | undefined,
): readonly (readonly string[])[] {
  const list = value === '' ? [] : value.split(',').map((tag) => tag.trim());
  return [...(earlier ?? []), list];
}
