import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY, GB, HOUR, NOW } from '../testing/healthy-stack.ts';
import { growthPerDay } from './growth.ts';

describe('the growth of a repository', () => {
  test('is its trend, whatever a prune or one large import does to it', () => {
    const days = Array.from({ length: 20 }, (_, day) => 100 * GB + day * GB);
    expect(growthPerDay(series(days), NOW)).toBeCloseTo(GB, -3);
    const pruned = days.map((bytes, day) => (day === 10 ? bytes - 60 * GB : bytes));
    expect(growthPerDay(series(pruned), NOW)).toBeCloseTo(GB, -8);
  });

  test('is not guessed from less than a day', () => {
    const hours = Array.from({ length: 12 }, (_, hour) => ({
      repository: 'main',
      at: NOW - hour * HOUR,
      bytes: hour * GB,
    }));
    expect(growthPerDay(hours, NOW)).toBeUndefined();
    expect(growthPerDay([], NOW)).toBeUndefined();
  });

  test('of a steady repository is what it grows by, however often it was measured', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 700 }), fc.integer({ min: -50, max: 50 }), (samples, slope) => {
        const measured = Array.from({ length: samples }, (_, index) => {
          const age = (25 * DAY * index) / (samples - 1);
          return { repository: 'main', at: NOW - age, bytes: 2000 * GB - (age / DAY) * slope * GB };
        });
        expect(growthPerDay(measured, NOW)).toBeCloseTo(slope * GB, -4);
      }),
      { numRuns: 30 },
    );
  });

  function series(days: readonly number[]) {
    return days.map((bytes, day) => ({ repository: 'main', at: NOW - (days.length - 1 - day) * DAY, bytes }));
  }
});
