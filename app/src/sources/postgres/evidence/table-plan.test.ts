import { expect, test } from 'vitest';
import { planCount, USUAL_LIMITS } from './table-plan.ts';

const MIB = 2 ** 20;
const plan = (bytes: number) => planCount(bytes, USUAL_LIMITS, () => 0.5);

test('a small table is read row by row, and one of a few blocks is never sampled', () => {
  expect(plan(8192)).toEqual([{ content: true }]);
  expect(plan(0)).toEqual([{ content: true }]);
});

test('a larger one is counted, and sampled when that takes too long', () => {
  expect(plan(1024 * MIB)).toEqual([
    { content: false },
    { content: true, sample: { percent: 1, seed: 1_073_741_823 } },
  ]);
});

test('of a very large one about as much is read as of the largest that is read whole', () => {
  const [first, second] = plan(1024 * 1024 * MIB);
  expect(first?.sample?.percent).toBe(0.0244);
  expect(second?.sample?.percent).toBeLessThan(0.0244);
});
