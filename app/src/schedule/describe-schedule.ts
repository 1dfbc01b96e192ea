import type { Schedule } from '../policy/model.ts';
import { type Cron, parseCron } from './cron.ts';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** A schedule in a person's words: `every day at 02:00 (Asia/Ho_Chi_Minh)`, `every 5 minutes`. */
export function describeSchedule({ when }: Pick<Schedule, 'when'>): string {
  if (when.kind === 'never') return 'never by itself';
  if (when.kind === 'every') return describeInterval(when.interval);
  const read = parseCron(when.expression);
  const words = 'cron' in read ? describeCron(read.cron) : undefined;
  return `${words ?? `at "${when.expression}"`} (${when.timezone})`;
}

function describeInterval(interval: number): string {
  const [name, length] = UNITS.find(([, length]) => interval >= length && interval % length === 0) ?? [
    'ms',
    1,
  ];
  const count = interval / length;
  if (name === 'ms') return `every ${count} ms`;
  return count === 1 ? `every ${name}` : `every ${count} ${name}s`;
}

/** The usual shapes; undefined for the others, which read best as they were written. */
function describeCron(cron: Cron): string | undefined {
  if (cron.months.length < 12 || cron.eitherDay) return undefined;
  const [hour = 0] = cron.hours;
  const [minute = 0] = cron.minutes;
  const everyDay = cron.days.length === 31 && cron.weekdays.length === 7;
  if (cron.everyHour && everyDay) {
    if (cron.minutes.length === 60) return 'every minute';
    if (cron.minutes.length > 1) return undefined;
    return minute === 0 ? 'every hour' : `every hour at ${minute} past`;
  }
  if (cron.hours.length > 1 || cron.minutes.length > 1) return undefined;
  const time = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
  if (everyDay) return `every day at ${time}`;
  if (cron.days.length === 31) return `every ${cron.weekdays.map((day) => DAYS[day]).join(', ')} at ${time}`;
  if (cron.days.length === 1) return `on day ${cron.days[0]} of every month at ${time}`;
  return undefined;
}
