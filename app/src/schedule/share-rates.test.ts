import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoff } from './backoff.ts';
import { describeSchedule } from './describe-schedule.ts';
import { shareRates } from './share-rates.ts';

describe('a rate for all', () => {
  it('is divided among the runs at work, and what one leaves goes to the others', () => {
    expect(shareRates({ upload: 90 }, [{}, {}, {}])).toEqual([
      { upload: 30 },
      { upload: 30 },
      { upload: 30 },
    ]);
    expect(shareRates({ upload: 90 }, [{}, { upload: 10 }, {}])).toEqual([
      { upload: 40 },
      { upload: 10 },
      { upload: 40 },
    ]);
  });

  it('that is not limited leaves each its own limit', () => {
    expect(shareRates({ upload: 90 }, [{ download: 5 }])).toEqual([{ download: 5, upload: 90 }]);
    expect(shareRates({}, [{ requests: 5 }, {}])).toEqual([{ requests: 5 }, {}]);
  });

  it('is never exceeded, never left unused, and no own limit is broken', () => {
    const own = fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.array(own, { minLength: 1, maxLength: 10 }),
        (total, limits) => {
          const runs = limits.map((upload) => (upload === undefined ? {} : { upload }));
          const shares = shareRates({ upload: total }, runs).map(({ upload = Number.NaN }) => upload);
          const sum = shares.reduce((all, share) => all + share, 0);
          const wanted = limits.reduce<number>((all, limit) => all + (limit ?? Number.POSITIVE_INFINITY), 0);
          expect(sum).toBeCloseTo(Math.min(total, wanted), 6);
          for (const [index, share] of shares.entries())
            expect(share).toBeLessThanOrEqual(limits[index] ?? total);
        },
      ),
    );
  });
});

describe('a failed run', () => {
  it('is tried again after twice as long each time, as often as was allowed', () => {
    const retry = { limit: 3, delay: 60_000 };
    expect([1, 2, 3, 4].map((attempt) => backoff(attempt, retry))).toEqual([
      60_000,
      120_000,
      240_000,
      undefined,
    ]);
  });

  it('never waits longer than six hours, or than it was told to', () => {
    expect(backoff(40, { limit: 50, delay: 60_000 })).toBe(6 * 3_600_000);
    expect(backoff(2, { limit: 50, delay: 86_400_000 })).toBe(86_400_000);
  });
});

describe('a schedule in words', () => {
  it.each([
    ['0 2 * * *', 'every day at 02:00 (UTC)'],
    ['0 * * * *', 'every hour (UTC)'],
    ['20 * * * *', 'every hour at 20 past (UTC)'],
    ['* * * * *', 'every minute (UTC)'],
    ['30 4 * * sun', 'every Sunday at 04:30 (UTC)'],
    ['30 4 * * mon,thu', 'every Monday, Thursday at 04:30 (UTC)'],
    ['0 3 1 * *', 'on day 1 of every month at 03:00 (UTC)'],
    ['*/5 2,3 * 1 *', 'at "*/5 2,3 * 1 *" (UTC)'],
  ])('%s is %s', (expression, words) => {
    expect(describeSchedule({ when: { kind: 'cron', expression, timezone: 'UTC' } })).toBe(words);
  });

  it.each([
    [5000, 'every 5 seconds'],
    [60_000, 'every minute'],
    [90_000, 'every 90 seconds'],
    [7_200_000, 'every 2 hours'],
    [1500, 'every 1500 ms'],
  ])('each %i ms is %s', (interval, words) => {
    expect(describeSchedule({ when: { kind: 'every', interval } })).toBe(words);
  });

  it('that is never says so', () => {
    expect(describeSchedule({ when: { kind: 'never' } })).toBe('never by itself');
  });
});
