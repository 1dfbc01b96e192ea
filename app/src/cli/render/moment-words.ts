/** Times near now, as short as they can be said. Pure: now and zone come as arguments; the zone is named elsewhere. */

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** `Sat 21 Nov 2026 10:52`. */
export function weekdayTime(epochMilliseconds: number, timeZone: string): string {
  const time = zoned(epochMilliseconds, timeZone);
  return `${DAYS[time.dayOfWeek - 1]} ${time.day} ${MONTHS[time.month - 1]} ${time.year} ${clock(time)}`;
}

/** `11:00` where it is today, `14 Nov 09:00` in the same year, else with its year. */
export function shortTime(epochMilliseconds: number, now: number, timeZone: string): string {
  const time = zoned(epochMilliseconds, timeZone);
  const today = zoned(now, timeZone);
  if (time.toPlainDate().equals(today.toPlainDate())) return clock(time);
  const year = time.year === today.year ? '' : ` ${time.year}`;
  return `${time.day} ${MONTHS[time.month - 1]}${year} ${clock(time)}`;
}

/** `10:52:07`. */
export function clockTime(epochMilliseconds: number, timeZone: string): string {
  const time = zoned(epochMilliseconds, timeZone);
  return `${clock(time)}:${time.second.toString().padStart(2, '0')}`;
}

function zoned(epochMilliseconds: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(epochMilliseconds)).toZonedDateTimeISO(timeZone);
}

function clock({ hour, minute }: Temporal.ZonedDateTime): string {
  return `${hour.toString().padStart(2, '0')}:${minute.toString().padStart(2, '0')}`;
}
