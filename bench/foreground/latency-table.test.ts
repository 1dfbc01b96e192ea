import { expect, it } from 'vitest';
import { percentile, renderLatencies } from './latency-table.ts';

it('takes the smallest value that so many per cent do not exceed', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentile(values, 50)).toBe(50);
  expect(percentile(values, 95)).toBe(95);
  expect(percentile([7], 95)).toBe(7);
  expect(percentile([], 95)).toBeNaN();
});

it('puts what was felt beside its ratio to what is felt without a backup', () => {
  const table = renderLatencies([
    { during: 'no backup', latencies: [1, 2], backupSeconds: [] },
    { during: 'a backup', latencies: [3, 5, 4], backupSeconds: [10, 30, 20] },
  ]);
  expect(table.split('\n').slice(2)).toEqual([
    '| no backup | 1.0 | 2.0 |  | 2.0 | 2 |  |',
    '| a backup | 4.0 | 5.0 | 2.50 | 5.0 | 3 | 20.0 |',
  ]);
});
