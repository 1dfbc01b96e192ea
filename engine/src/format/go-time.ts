import { Failure } from '../kernel/failure.ts';

/*
 * Times as Go writes them in JSON: RFC 3339 with up to nine digits of fraction, trailing zeros cut, and an offset.
 * With us they are nanoseconds since 1970 in UTC.
 */

/** What Go reads where a time is missing: the first day of year 1. */
export const ZERO_TIME = -62_135_596_800_000_000_000n;

const ZERO = 0x30;
const NANOSECONDS = 1_000_000_000;
const NANOSECONDS_BIG = 1_000_000_000n;
/** Years 0 and 9999 are what RFC 3339 can say; restic moves what lies beyond to the nearest year as well. */
const FIRST = -62_167_219_200_000_000_000n;
const LAST = 253_402_300_799_999_999_999n;

const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** The Gregorian calendar repeats after 400 years. */
const MILLISECONDS_IN_400_YEARS = 146_097 * 86_400_000;

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,40}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

// A file's times are often equal, and files of a directory often of one second: the last second is remembered.
let lastSecond = Number.NaN;
let lastPrefix = '';

/** RFC 3339 in UTC. Times outside years 0 to 9999 become the nearest that can be said. */
export function formatTime(time: bigint): string {
  const bounded = time < FIRST ? FIRST : time > LAST ? LAST : time;
  let second = Number(bounded / NANOSECONDS_BIG);
  let fraction = Number(bounded % NANOSECONDS_BIG);
  if (fraction < 0) {
    second -= 1;
    fraction += NANOSECONDS;
  }
  if (second !== lastSecond) {
    lastPrefix = new Date(second * 1000).toISOString().slice(0, 19);
    lastSecond = second;
  }
  return fraction === 0 ? `${lastPrefix}Z` : `${lastPrefix}.${fractionDigits(fraction)}Z`;
}

/** Nanoseconds since 1970; `repository.damaged` for what is no time. Digits beyond the ninth are cut, as in Go. */
export function parseTime(text: string): bigint {
  const match = RFC_3339.exec(text);
  if (match === null) {
    throw noTime(text);
  }
  const [, years, months, days, hours, minutes, seconds, digits = '', sign, offsetHours, offsetMinutes] =
    match;
  const year = Number(years);
  const month = Number(months);
  const day = Number(days);
  const [hour, minute, second] = [Number(hours), Number(minutes), Number(seconds)];
  if (!isDay(year, month, day) || hour > 23 || minute > 59 || second > 59) {
    throw noTime(text);
  }
  // Date.UTC takes years below 100 for the twentieth century.
  const local = Date.UTC(year + 400, month - 1, day, hour, minute, second) - MILLISECONDS_IN_400_YEARS;
  const offset = sign === undefined ? 0 : (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60;
  const utc = local / 1000 - (sign === '-' ? -offset : offset);
  return BigInt(utc) * NANOSECONDS_BIG + BigInt(digits.slice(0, 9).padEnd(9, '0'));
}

function fractionDigits(fraction: number): string {
  // The leading 1 keeps the zeros that follow it.
  const digits = String(NANOSECONDS + fraction);
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO) {
    end--;
  }
  return digits.slice(1, end);
}

function isDay(year: number, month: number, day: number): boolean {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const longest = month === 2 && !leap ? 28 : (DAYS_IN_MONTH[month - 1] ?? 0);
  return day >= 1 && day <= longest;
}

function noTime(text: string): Failure {
  return new Failure('repository.damaged', `${JSON.stringify(text.slice(0, 80))} is no time.`);
}
