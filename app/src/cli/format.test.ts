import { describe, expect, test } from 'vitest';
import {
  formatAge,
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatFactor,
  formatRate,
  formatTime,
} from './format.ts';

describe('sizes are decimal, with one decimal below 100', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [41_200_000, '41.2 MB'],
    [99_960_000, '100 MB'],
    [118_000_000, '118 MB'],
    [999_400_000, '999 MB'],
    [999_960_000, '1.0 GB'],
    [1.5e12, '1.5 TB'],
    [12_345e15, '12345 PB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('durations have two units at most', () => {
  test.each([
    [0, '0 ms'],
    [3.2, '3 ms'],
    [312, '0.3 s'],
    [1400, '1.4 s'],
    [59_949, '59.9 s'],
    [59_960, '1 min'],
    [200_000, '3 min 20 s'],
    [3_599_900, '1 h'],
    [4_320_000, '1 h 12 min'],
    [86_400_000, '1 d'],
    [183_600_000, '2 d 3 h'],
  ])('%d ms are %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [11_842, '11,842'],
  [1_234_567, '1,234,567'],
])('the count %d reads %s', (count, text) => {
  expect(formatCount(count)).toBe(text);
});

test('one thing is not many', () => {
  expect(formatCounted(1, 'file')).toBe('1 file');
  expect(formatCounted(0, 'directory', 'directories')).toBe('0 directories');
});

test('a rate needs time to have passed', () => {
  expect(formatRate(824_000_000, 2000)).toBe('412 MB/s');
  expect(formatRate(5, 0)).toBe('–');
});

test.each([
  [0, 'just now'],
  [12_000, '12 s ago'],
  [260_000, '4 min ago'],
  [7_300_000, '2 h ago'],
  [86_400_000, '1 day ago'],
  [3 * 86_400_000, '3 days ago'],
  [-260_000, 'in 4 min'],
])('%d ms of age read %s', (age, text) => {
  expect(formatAge(1_000_000_000_000 - age, 1_000_000_000_000)).toBe(text);
});

test('times are told in the zone of the reader, with the offset', () => {
  const moment = Date.parse('2026-11-21T03:44:00Z');
  expect(formatTime(moment, 'Asia/Ho_Chi_Minh')).toBe('21 Nov 2026 10:44 +07:00');
  expect(formatTime(moment, 'UTC')).toBe('21 Nov 2026 03:44 +00:00');
});

test('a factor of nothing is not told', () => {
  expect(formatFactor(19, 10)).toBe('1.9×');
  expect(formatFactor(19, 0)).toBe('–');
});
