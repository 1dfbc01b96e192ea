/** A cron expression, read: five sets of numbers, ascending. */
export interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  /** 1 is January. */
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly weekdays: readonly number[];
  /** Both kinds of day are restricted: then a day that is one of either will do, as in every cron since Vixie's. */
  readonly eitherDay: boolean;
  /** All 24 hours are meant, so that it is a distance in real time and no place in the day. */
  readonly everyHour: boolean;
}

/** What is wrong with an expression, and what was probably meant: a whole one, that can be pasted. */
export interface CronProblem {
  readonly message: string;
  readonly suggestion?: string;
}

interface Field {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** The name of `first`, of the one after it, … */
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS = {
  minutes: { name: 'minute', first: 0, last: 59 },
  hours: { name: 'hour', first: 0, last: 23 },
  days: { name: 'day of the month', first: 1, last: 31 },
  months: { name: 'month', first: 1, last: 12, names: MONTHS },
  // 7 is Sunday as well.
  weekdays: { name: 'weekday', first: 0, last: 7, names: WEEKDAYS },
} as const satisfies Record<string, Field>;

const MACROS: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/** February has a 29th now and then. */
const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Reads five fields as crontab(5) has them: `*`, numbers, ranges, lists, steps, names of months and weekdays, and
 * `@daily` and its kin. What only some crons know (seconds, `L`, `W`, `#`, `?`) is refused with what to write instead,
 * since guessing it wrong would be found out years later.
 */
export function parseCron(text: string): { readonly cron: Cron } | { readonly problem: CronProblem } {
  const lower = text.trim().toLowerCase();
  const expression = MACROS[lower] ?? lower;
  const parts = expression.split(/\s+/);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = parts;
  if (parts.length !== 5 || minute === '') return { problem: wrongCount(text.trim(), parts) };
  const minutes = parseField(minute, FIELDS.minutes);
  const hours = parseField(hour, FIELDS.hours);
  const days = parseField(day, FIELDS.days);
  const months = parseField(month, FIELDS.months);
  const weekdays = parseField(weekday, FIELDS.weekdays);
  for (const [index, field] of [minutes, hours, days, months, weekdays].entries()) {
    if ('message' in field) return { problem: ofWhole(field, parts, index) };
  }
  const cron: Cron = {
    minutes: numbersOf(minutes),
    hours: numbersOf(hours),
    days: numbersOf(days),
    months: numbersOf(months),
    weekdays: ascending(numbersOf(weekdays).map((number) => number % 7)),
    eitherDay: day !== '*' && weekday !== '*',
    everyHour: numbersOf(hours).length === 24,
  };
  return happens(cron)
    ? { cron }
    : { problem: { message: `"${text.trim()}" never happens: no month has that day` } };
}

/** What is wrong with an expression, if anything is. */
export function checkCron(text: string): CronProblem | undefined {
  const read = parseCron(text);
  return 'problem' in read ? read.problem : undefined;
}

/** Whether a day of the calendar is one of its days. `day` counts from 1 January 1970. */
export function isDayOf(cron: Cron, day: number): boolean {
  const date = new Date(day * 86_400_000);
  if (!cron.months.includes(date.getUTCMonth() + 1)) return false;
  const ofMonth = cron.days.includes(date.getUTCDate());
  const ofWeek = cron.weekdays.includes(date.getUTCDay());
  return cron.eitherDay ? ofMonth || ofWeek : ofMonth && ofWeek;
}

function parseField(text: string, field: Field): number[] | CronProblem {
  const numbers: number[] = [];
  for (const item of text.split(',')) {
    const read = parseItem(item, field);
    if ('message' in read) return { ...read, ...corrected(text, item, read.suggestion) };
    numbers.push(...read);
  }
  return ascending(numbers);
}

/** The same problem with a suggestion that can be pasted as it stands, or none. */
function ofWhole(problem: CronProblem, parts: readonly string[], index: number): CronProblem {
  const whole = parts.with(index, problem.suggestion ?? '').join(' ');
  const { message } = problem;
  return problem.suggestion === undefined || 'problem' in parseCron(whole)
    ? { message }
    : { message, suggestion: whole };
}

function corrected(text: string, item: string, suggestion: string | undefined) {
  if (suggestion === undefined) return {};
  const items = text.split(',').map((one) => (one === item ? suggestion : one));
  return { suggestion: items.join(',') };
}

const ITEM = /^(?:(?<all>\*)|(?<from>\w+)(?:-(?<to>\w+))?)(?:\/(?<step>\d{1,4}))?$/;

function parseItem(item: string, field: Field): number[] | CronProblem {
  const { all, from: first, to: last, step: every } = ITEM.exec(item)?.groups ?? {};
  if (all === undefined && first === undefined) return notUnderstood(item, field);
  const step = every === undefined ? 1 : Number(every);
  if (step === 0) return { message: `a step of 0 in the ${field.name} "${item}"`, suggestion: '*' };
  if (all !== undefined) return rangeOf(field.first, field.last, step);
  const from = numberOf(first ?? '', field);
  const to = numberOf(last ?? first ?? '', field);
  if (from === undefined || to === undefined) return notUnderstood(item, field);
  if (every !== undefined && last === undefined) {
    return {
      message: `a step needs a range in the ${field.name} "${item}"`,
      suggestion: `${first}-${field.last}/${every}`,
    };
  }
  if (from > to) return backwards(item, field, from, to);
  return rangeOf(from, to, step);
}

function backwards(item: string, field: Field, from: number, to: number): CronProblem {
  const end = field.name === 'weekday' ? 6 : field.last;
  return {
    message: `the ${field.name} "${item}" runs backwards`,
    suggestion: `${from}-${end},${field.first}-${to}`,
  };
}

function notUnderstood(item: string, field: Field): CronProblem {
  const message = `"${item}" is no ${field.name}: ${rangeInWords(field)}`;
  if (item === '?') return { message, suggestion: '*' };
  if (field.name === 'day of the month' && item === 'l') {
    return { message: `${message}; the last day of a month has no name`, suggestion: '1' };
  }
  const named = field.names?.find((name) => item.startsWith(name));
  if (named !== undefined) return { message, suggestion: named };
  if (field.name === 'hour' && item === '24') return { message, suggestion: '0' };
  if (field.name === 'minute' && item === '60') return { message, suggestion: '0' };
  return { message };
}

function rangeInWords({ first, last, names }: Field): string {
  const numbers = `it goes from ${first} to ${last}`;
  return names === undefined ? numbers : `${numbers}, or ${names[0]} to ${names.at(-1)}`;
}

function wrongCount(text: string, parts: readonly string[]): CronProblem {
  const message = `"${text}" is no cron expression: it has five fields, minute hour day month weekday`;
  if (parts.length === 6) {
    return {
      message: `${message}; seconds are no part of it`,
      suggestion: parts.slice(1).join(' '),
    };
  }
  const time = /^(\d{1,2}):(\d\d)$/.exec(text);
  if (time !== null) return { message, suggestion: `${Number(time[2])} ${Number(time[1])} * * *` };
  const word = `@${text.toLowerCase().replace(/^@|^every /, '')}`;
  const macro =
    { '@day': '@daily', '@hour': '@hourly', '@week': '@weekly', '@month': '@monthly' }[word] ?? word;
  if (MACROS[macro] !== undefined) return { message, suggestion: MACROS[macro] };
  if (parts.length < 5 && parts.every((part) => /^[\d*/,-]+$/.test(part))) {
    return { message, suggestion: [...parts, '*', '*', '*', '*'].slice(0, 5).join(' ') };
  }
  return { message, suggestion: '0 2 * * *' };
}

function numberOf(text: string, field: Field): number | undefined {
  const named = field.names?.indexOf(text) ?? -1;
  if (named >= 0) return field.first + named;
  if (!/^\d{1,4}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= field.first && number <= field.last ? number : undefined;
}

function numbersOf(field: number[] | CronProblem): readonly number[] {
  return 'message' in field ? [] : field;
}

function rangeOf(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

function ascending(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function happens(cron: Cron): boolean {
  if (cron.eitherDay) return true;
  return cron.months.some((month) => cron.days.some((day) => day <= (LONGEST[month - 1] ?? 0)));
}
