import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatLsn, parseLsn, segmentStart, walFileName } from './lsn.ts';

const SEGMENT = 16 * 1024 * 1024;

test('a position is read and written as PostgreSQL prints it', () => {
  expect(parseLsn('16/B374D848')).toBe(0x16_b374d848n);
  expect(formatLsn(0x16_b374d848n)).toBe('16/B374D848');
  expect(formatLsn(0x1_00000000n)).toBe('1/0');
});

test('every position survives being written and read', () => {
  fc.assert(fc.property(fc.bigInt(0n, 0xffff_ffff_ffff_ffffn), (lsn) => parseLsn(formatLsn(lsn)) === lsn));
});

test.each(['', '0', '0/', '/0', '0/123456789', 'x/1', '0/1 '])('%j is no position', (text) => {
  expect(() => parseLsn(text)).toThrow(/no position/);
});

test('a WAL file is named as the server names it', () => {
  // pg_walfile_name('16/B374D848') on a server with 16 MB segments.
  expect(walFileName(1, parseLsn('16/B374D848'), SEGMENT)).toBe('0000000100000016000000B3');
  expect(walFileName(0x1f, parseLsn('1/0'), SEGMENT)).toBe('0000001F0000000100000000');
  expect(walFileName(2, parseLsn('1/40000000'), 1024 * 1024 * 1024)).toBe('000000020000000100000001');
});

test('a segment begins at or before each of its bytes', () => {
  expect(formatLsn(segmentStart(parseLsn('0/15D68C8'), SEGMENT))).toBe('0/1000000');
  expect(formatLsn(segmentStart(parseLsn('0/2000000'), SEGMENT))).toBe('0/2000000');
});
