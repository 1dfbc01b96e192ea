import { expect, test } from 'vitest';
import { pointOf } from '../testing/healthy-stack.ts';
import { removedByAll } from './forget.ts';

const [a, b, c] = [1, 2, 3].map((time) => pointOf('offsite', 'media', time));
const removing = (...points: (typeof a)[]) => ({
  kept: [],
  removed: points.flatMap((point) =>
    point === undefined ? [] : { point, because: 'no rule keeps it' as const },
  ),
});

test('what one of several rules keeps stays', () => {
  expect(removedByAll([removing(a, b), removing(b, c)])).toEqual([b]);
  expect(removedByAll([removing(a, b), removing()])).toEqual([]);
});

test('one rule alone removes what it removes', () => {
  expect(removedByAll([removing(a, c)])).toEqual([a, c]);
  expect(removedByAll([])).toEqual([]);
});
