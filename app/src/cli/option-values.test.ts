import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import {
  collect,
  collectLists,
  parseCalendarSpan,
  parseDuration,
  parseKeepCount,
  parseMoment,
  parsePositive,
  parseSize,
} from './option-values.ts';

test.each([
  ['0', 0],
  ['500', 500],
  ['1k', 1024],
  ['1K', 1024],
  ['2M', 2 * 1024 ** 2],
  ['1.5G', 1.5 * 1024 ** 3],
  ['1T', 1024 ** 4],
  ['10MiB', 10 * 1024 ** 2],
])('the size %s is %d bytes, as in restic', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
])('the duration %s is %d ms', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test('a span counts in calendar units', () => {
  expect(parseCalendarSpan('1y5m7d2h')).toEqual({ years: 1, months: 5, days: 7, hours: 2 });
  expect(parseCalendarSpan('7d')).toEqual({ years: 0, months: 0, days: 7, hours: 0 });
});

test('a time without a zone is meant in the zone of the machine', () => {
  const parse = parseMoment('Asia/Ho_Chi_Minh');
  expect(parse('2026-11-21 10:44:07')).toBe(Date.parse('2026-11-21T03:44:07Z'));
  expect(parse('2026-11-21T10:44:07+01:00')).toBe(Date.parse('2026-11-21T09:44:07Z'));
});

test('as many as there are can be kept', () => {
  expect(parseKeepCount('unlimited')).toBe(Number.POSITIVE_INFINITY);
  expect(parseKeepCount('-1')).toBe(Number.POSITIVE_INFINITY);
  expect(parseKeepCount('7')).toBe(7);
});

describe('what is not understood is refused', () => {
  test.each([
    [parseSize, 'much'],
    [parseSize, '-5M'],
    [parseSize, ''],
    [parseDuration, '5'],
    [parseDuration, '5 minutes'],
    [parseCalendarSpan, ''],
    [parseCalendarSpan, '7w'],
    [parsePositive, '0'],
    [parsePositive, '1.5'],
    [parsePositive, '1e3'],
    [parseKeepCount, '-2'],
    [parseMoment('UTC'), 'yesterday'],
  ] as [(text: string) => unknown, string][])('%o of %j', (parse, text) => {
    expect(() => parse(text)).toThrow(InvalidArgumentError);
  });
});

test('options given several times add up', () => {
  expect(collect('b', collect('a', undefined))).toEqual(['a', 'b']);
  expect(collectLists('c', collectLists('a,b', undefined))).toEqual([['a', 'b'], ['c']]);
});
