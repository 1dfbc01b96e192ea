import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { INVALID_RUNE, runeAt, widthOf } from './go-utf8.ts';

test('valid text is read rune by rune', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bytes = Buffer.from(text);
      expect(runesOf(bytes)).toEqual([...bytes.toString()].map((rune) => rune.codePointAt(0)));
    }),
  );
});

test('an invalid byte is told wherever it stands', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      expect(runesOf(bytes).includes(INVALID_RUNE)).toBe(!isUtf8(bytes));
    }),
    { numRuns: 2000 },
  );
});

test.each(['c080', 'e08080', 'eda080', 'f08080af', 'f4908080', 'e282'])(
  '%s is invalid byte by byte',
  (hex) => {
    expect(runesOf(Buffer.from(hex, 'hex'))).toEqual(Array(hex.length / 2).fill(INVALID_RUNE));
  },
);

function runesOf(bytes: Uint8Array): number[] {
  const runes: number[] = [];
  for (let at = 0; at < bytes.length; at += widthOf(runes.at(-1) ?? 0)) {
    runes.push(runeAt(bytes, at));
  }
  return runes;
}
