import { expect, test } from 'vitest';
import { spanOf } from './range.ts';

test.each([
  ['bytes=0-9', { start: 0, end: 10 }],
  ['bytes=90-', { start: 90, end: 100 }],
  ['bytes=90-200', { start: 90, end: 100 }],
  ['bytes=-10', { start: 90, end: 100 }],
  ['bytes=-500', { start: 0, end: 100 }],
  ['bytes=99-99', { start: 99, end: 100 }],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=100-200', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  [undefined, undefined],
  ['bytes=-', undefined],
  ['bytes=9-0', undefined],
  ['bytes=0-1,5-6', undefined],
  ['lines=0-1', undefined],
])('of a hundred bytes %s is %o', (header, span) => {
  expect(spanOf(header, 100)).toEqual(span);
});

test('an empty file has no range, but is whole', () => {
  expect(spanOf('bytes=0-', 0)).toBe('unsatisfiable');
  expect(spanOf(undefined, 0)).toBeUndefined();
});
