import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DURATION, FOREVER, formatDuration, parseDuration, repairDuration, SPAN } from './duration.ts';
import { formatRate, formatSize, parseSize, RATE, repairRate, repairSize, SIZE } from './size.ts';

const DAY = 86_400_000;

test('a duration that is written out means the same again, to the millisecond', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: FOREVER }), (milliseconds) => {
      const text = formatDuration(milliseconds);
      expect(text).toMatch(DURATION);
      expect(parseDuration(text)).toBe(milliseconds);
    }),
  );
});

test('a size that is written out means the same again, to the byte', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (bytes) => {
      expect(formatSize(bytes)).toMatch(SIZE);
      expect(parseSize(formatSize(bytes))).toBe(bytes);
      expect(formatRate(bytes)).toMatch(RATE);
      expect(parseSize(formatRate(bytes))).toBe(bytes);
    }),
  );
});

test.each([
  ['30s', 30_000],
  ['1h 30m', 5_400_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['250ms', 250],
  ['2w', 14 * DAY],
])('%s is a duration', (text, milliseconds) => {
  expect(text).toMatch(SPAN);
  expect(parseDuration(text)).toBe(milliseconds);
});

test('what is kept for five years is never gone before the fifth of any five', () => {
  expect(parseDuration('5y')).toBeGreaterThanOrEqual(5 * 365 * DAY + 2 * DAY);
});

test.each([
  ['10 MiB', 10 * 1024 ** 2],
  ['10MB', 10_000_000],
  ['2 TB', 2e12],
  ['1.5 GiB', 1.5 * 1024 ** 3],
])('%s is a size', (text, bytes) => {
  expect(text).toMatch(SIZE);
  expect(parseSize(text)).toBe(bytes);
});

test.each([
  ['5 minutes', '5m'],
  ['1 hour 30 min', '1h 30m'],
  ['1 day and 2 hours', '1d 2h'],
  ['1 month', '31d'],
  ['2 Weeks', '2w'],
  ['soon', undefined],
  ['5 parsecs', undefined],
  ['0 minutes', undefined],
])('by "%s" somebody meant %s', (written, meant) => {
  expect(repairDuration(written)).toBe(meant);
});

test.each([
  ['10mb', '10 MB'],
  ['100M', '100 MiB'],
  ['5 gib', '5 GiB'],
  ['12', '12 B'],
  ['much', undefined],
])('by a size of "%s" somebody meant %s', (written, meant) => {
  expect(repairSize(written)).toBe(meant);
});

test('a rate without its second is understood as one', () => {
  expect(['20 MB', '20mb/s', '20 MBps', '20 MiB/sec'].map(repairRate)).toEqual([
    '20 MB/s',
    '20 MB/s',
    '20 MB/s',
    '20 MiB/s',
  ]);
});

test('whatever somebody is offered instead is understood', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^\d{0,4}[ .]?[a-zA-Z]{0,4} ?\d{0,3}[a-z]{0,3}$/), (text) => {
      const [duration, size, rate] = [repairDuration(text), repairSize(text), repairRate(text)];
      if (duration !== undefined) expect(duration).toMatch(SPAN);
      if (size !== undefined) expect(size).toMatch(SIZE);
      if (rate !== undefined) expect(rate).toMatch(RATE);
    }),
  );
});
