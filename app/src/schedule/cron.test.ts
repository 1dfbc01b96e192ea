import { describe, expect, it } from 'vitest';
import { checkCron, isDayOf, parseCron } from './cron.ts';

function read(text: string) {
  const result = parseCron(text);
  if ('problem' in result) throw new Error(result.problem.message);
  return result.cron;
}

describe('a cron expression', () => {
  it('is read with lists, ranges, steps and names', () => {
    expect(read('*/20 1,3-5 1-31/15 jan,MAR mon-wed')).toEqual({
      minutes: [0, 20, 40],
      hours: [1, 3, 4, 5],
      days: [1, 16, 31],
      months: [1, 3],
      weekdays: [1, 2, 3],
      eitherDay: true,
      everyHour: false,
    });
  });

  it('takes 7 for Sunday, and @daily for midnight', () => {
    expect(read('0 0 * * 7').weekdays).toEqual([0]);
    expect(read('0 0 * * 5-7').weekdays).toEqual([0, 5, 6]);
    expect(read('@daily')).toEqual(read('0 0 * * *'));
    expect(read('@hourly').everyHour).toBe(true);
  });

  it('means a day that is one of either kind when both are restricted, and both where one is a star', () => {
    const friday13 = Date.UTC(2026, 10, 13) / 86_400_000;
    expect(isDayOf(read('0 0 13 * fri'), friday13 + 7)).toBe(true);
    expect(isDayOf(read('0 0 13 * *'), friday13 + 7)).toBe(false);
    expect(isDayOf(read('0 0 * * fri'), friday13 + 7)).toBe(true);
    expect(isDayOf(read('0 0 * 11 *'), friday13)).toBe(true);
    expect(isDayOf(read('0 0 * 12 *'), friday13)).toBe(false);
  });

  it.each([
    ['0 0 2 * * *', '0 2 * * *'],
    ['02:30', '30 2 * * *'],
    ['daily', '0 0 * * *'],
    ['every hour', '0 * * * *'],
    ['0 2', '0 2 * * *'],
    ['0 24 * * *', '0 0 * * *'],
    ['0 2 ? * *', '0 2 * * *'],
    ['0 2 * * friday', '0 2 * * fri'],
    ['5/15 * * * *', '5-59/15 * * * *'],
    ['0 2 * * wed,fri-mon', '0 2 * * wed,5-6,0-1'],
    ['0 22-4 * * *', '0 22-23,0-4 * * *'],
    ['*/0 * * * *', '* * * * *'],
  ])('that is wrong, as %s, is answered with what was meant', (text, suggestion) => {
    expect(checkCron(text)?.suggestion).toBe(suggestion);
  });

  it.each([
    '0 2 30 2 *',
    '0 2 31 2,4,6 *',
    '',
    'x x x x x',
    '61 2 * * *',
    '0 2 * * 8',
    '0 -1 * * *',
    '0 2 l * *',
  ])('that never happens or cannot be understood, as %j, is refused', (text) => {
    expect(checkCron(text)?.message).toBeTypeOf('string');
  });

  it('that happens on 29 February alone is fine', () => {
    expect(checkCron('0 2 29 2 *')).toBeUndefined();
  });

  it('never suggests what is wrong itself', () => {
    for (const text of ['0 0 2 * * *', '02:30', 'weekly', 'nonsense', '0 2', '0 2 l * *', '61 24 * * *']) {
      const { suggestion = '* * * * *' } = checkCron(text) ?? {};
      expect(checkCron(suggestion)).toBeUndefined();
    }
  });
});
