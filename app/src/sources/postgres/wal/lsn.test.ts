import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatLsn, parseLsn } from './lsn.ts';

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
