import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../kernel/failure.ts';
import { formatTime, parseTime, ZERO_TIME } from './go-time.ts';

describe('times', () => {
  test('come back to the nanosecond, before 1970 as well', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: ZERO_TIME, max: 253_402_300_799_999_999_999n }), (time) => {
        expect(parseTime(formatTime(time))).toBe(time);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    [0n, '1970-01-01T00:00:00Z'],
    [1n, '1970-01-01T00:00:00.000000001Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
    [1_500_000_000_120_000_000n, '2017-07-14T02:40:00.12Z'],
    [ZERO_TIME, '0001-01-01T00:00:00Z'],
    [-62_167_219_200_000_000_000n, '0000-01-01T00:00:00Z'],
    [253_402_300_799_999_999_999n, '9999-12-31T23:59:59.999999999Z'],
  ])('%d is %s', (time, text) => {
    expect(formatTime(time)).toBe(text);
    expect(parseTime(text)).toBe(time);
  });

  test('beyond what RFC 3339 can say become the nearest', () => {
    expect(formatTime(10n ** 25n)).toBe('9999-12-31T23:59:59.999999999Z');
    expect(formatTime(-(10n ** 25n))).toBe('0000-01-01T00:00:00Z');
  });

  test.each([
    ['2015-01-02T18:10:50.895208559+01:00', '2015-01-02T17:10:50.895208559Z'],
    ['2015-01-02T01:10:50-05:30', '2015-01-02T06:40:50Z'],
    ['0000-01-01T00:00:00+23:59', '0000-01-01T00:00:00Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['2024-01-01T00:00:00.1234567899Z', '2024-01-01T00:00:00.123456789Z'],
  ])('%s is %s', (text, utc) => {
    expect(formatTime(parseTime(text))).toBe(utc);
  });

  test.each([
    '',
    '2024-01-01',
    '2024-01-01 00:00:00Z',
    '2024-01-01T00:00:00',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:00:60Z',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00+24:00',
    '12024-01-01T00:00:00Z',
  ])('%j is no time', (text) => {
    expect(() => parseTime(text)).toThrow(expect.objectContaining({ code: 'repository.damaged' }));
  });

  test('are told from garbage, never with a crash', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)$/)),
        (text) => {
          try {
            parseTime(text);
          } catch (error) {
            expect(error).toBeInstanceOf(Failure);
          }
        },
      ),
    );
  });
});
