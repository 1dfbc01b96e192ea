import { expect, test } from 'vitest';
import { retryAfterOf } from './retry-after.ts';

const date = 'Sat, 21 Nov 2026 10:00:00 GMT';

test.each([
  [503, { 'retry-after': '7' }, 7000],
  [429, { 'retry-after': '0' }, 0],
  [503, { 'retry-after': 'Sat, 21 Nov 2026 10:01:30 GMT', date }, 90_000],
  [503, { 'retry-after': 'Sat, 21 Nov 2026 09:59:00 GMT', date }, undefined],
  [503, { 'retry-after': 'Sat, 21 Nov 2026 10:01:30 GMT' }, undefined],
  [503, { 'retry-after': 'soon', date }, undefined],
  [503, { 'retry-after': '-1', date }, undefined],
  [503, {}, undefined],
  [500, { 'retry-after': '7' }, undefined],
  [undefined, undefined, undefined],
])('a server that answers %s with %o wants to be left alone for %s ms', (status, headers, wait) => {
  expect(retryAfterOf(status, headers)).toBe(wait);
});
