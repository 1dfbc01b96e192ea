import { expect, it } from 'vitest';
import {
  formatCalendarDuration,
  parseCalendarDuration,
  subtractCalendarDuration,
} from './calendar-duration.ts';

it('reads what restic reads and writes it back in the order of size', () => {
  expect(parseCalendarDuration('1y5m7d2h')).toEqual({ years: 1, months: 5, days: 7, hours: 2 });
  expect(parseCalendarDuration(' 36h ')).toEqual({ years: 0, months: 0, days: 0, hours: 36 });
  expect(formatCalendarDuration(parseCalendarDuration('2h1y'))).toBe('1y2h');
  expect(formatCalendarDuration(parseCalendarDuration('0d'))).toBe('');
});

it.each(['', '7', 'd', '7w', '-7d', '7d x', '1.5d', '7d7d', '9999999d'])('refuses "%s"', (text) => {
  expect(() => parseCalendarDuration(text)).toThrow(expect.objectContaining({ code: 'usage' }));
});

it.each([
  ['2024-03-31T12:00:00Z', '1m', '2024-03-02T12:00:00Z'],
  ['2023-03-31T12:00:00Z', '1m', '2023-03-03T12:00:00Z'],
  ['2024-02-29T12:00:00Z', '1y', '2023-03-01T12:00:00Z'],
  ['2024-01-01T00:30:00Z', '1h', '2023-12-31T23:30:00Z'],
  ['2024-05-10T08:00:00Z', '1y2m10d3h', '2023-02-28T05:00:00Z'],
])('%s less %s is %s, as in Go', (from, duration, to) => {
  const earlier = subtractCalendarDuration(Date.parse(from), parseCalendarDuration(duration));
  expect(earlier).toBe(Date.parse(to));
});

it('says so when the calendar does not reach back that far', () => {
  expect(subtractCalendarDuration(0, parseCalendarDuration('999999y'))).toBeUndefined();
});
