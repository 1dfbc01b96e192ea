/**
 * Numbers as people read them. Sizes are decimal everywhere (1 MB is 1,000,000 bytes, as on a disk's label), with one
 * decimal below 100. Pure: time, zone and state come as arguments.
 */

const SIZE_UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `412 B`, `41.2 MB`, `118 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let value = bytes;
  for (const [step, unit] of SIZE_UNITS.entries()) {
    value /= 1000;
    // 999.95 of a unit would be printed as 1000 of it.
    if (value < 999.5 || step === SIZE_UNITS.length - 1) return `${shortDecimal(value)} ${unit}`;
  }
  return '';
}

/** `412 MB/s`; milliseconds may be 0, then nothing can be said: `–`. */
export function formatRate(bytes: number, milliseconds: number): string {
  return milliseconds <= 0 ? '–' : `${formatBytes((bytes / milliseconds) * SECOND)}/s`;
}

/** `11,842`. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 file`, `11,842 files`. */
export function formatCounted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `3 ms`, `1.4 s`, `3 min 20 s`, `1 h 12 min`, `2 d 3 h`: two units at most. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 99.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / SECOND).toFixed(1)} s`;
  const whole = Math.round(milliseconds / SECOND) * SECOND;
  if (whole < HOUR) return twoUnits(whole, MINUTE, 'min', SECOND, 's');
  if (whole < DAY) return twoUnits(whole, HOUR, 'h', MINUTE, 'min');
  return twoUnits(whole, DAY, 'd', HOUR, 'h');
}

/** How long ago `then` was, in words: `just now`, `4 min ago`, `3 days ago`; the future is `in 4 min`. */
export function formatAge(then: number, now: number): string {
  const age = Math.abs(now - then);
  if (age < 10 * SECOND) return 'just now';
  const amount = roughly(age);
  return now >= then ? `${amount} ago` : `in ${amount}`;
}

/** `21 Nov 2026 10:44 +07:00`, in the zone of the person who reads. */
export function formatTime(epochMilliseconds: number, timeZone: string): string {
  const time = Temporal.Instant.fromEpochMilliseconds(Math.floor(epochMilliseconds)).toZonedDateTimeISO(
    timeZone,
  );
  const month = MONTHS[time.month - 1];
  return `${time.day} ${month} ${time.year} ${twoDigits(time.hour)}:${twoDigits(time.minute)} ${time.offset}`;
}

/** `21 Nov 2026 10:44:07.311 +07:00`: where a second more or less is another state of a database. */
export function formatMoment(epochMilliseconds: number, timeZone: string): string {
  const minute = formatTime(epochMilliseconds, timeZone);
  const seconds = (((epochMilliseconds % MINUTE) + MINUTE) % MINUTE) / SECOND;
  const at = minute.lastIndexOf(' ');
  return `${minute.slice(0, at)}:${(Math.floor(seconds * SECOND) / SECOND).toFixed(3).padStart(6, '0')}${minute.slice(at)}`;
}

/** `1.9×`; a ratio that cannot be said is `–`. */
export function formatFactor(numerator: number, denominator: number): string {
  return denominator <= 0 ? '–' : `${(numerator / denominator).toFixed(1)}×`;
}

function shortDecimal(value: number): string {
  return value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}

function twoUnits(
  milliseconds: number,
  large: number,
  largeName: string,
  small: number,
  smallName: string,
): string {
  const rest = Math.floor((milliseconds % large) / small);
  const whole = `${Math.floor(milliseconds / large)} ${largeName}`;
  return rest === 0 ? whole : `${whole} ${rest} ${smallName}`;
}

function roughly(milliseconds: number): string {
  if (milliseconds < MINUTE) return `${Math.floor(milliseconds / SECOND)} s`;
  if (milliseconds < HOUR) return `${Math.floor(milliseconds / MINUTE)} min`;
  if (milliseconds < DAY) return `${Math.floor(milliseconds / HOUR)} h`;
  return formatCounted(Math.floor(milliseconds / DAY), 'day');
}

function twoDigits(number: number): string {
  return number.toString().padStart(2, '0');
}
