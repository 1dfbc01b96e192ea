import { createPageSums } from '@holdfast/engine';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appended, EMPTY, type Part, withoutEnd, withReplaced } from './crc32c-algebra.ts';

const sums = createPageSums();

function sumOf(...bytes: Uint8Array[]): Part {
  sums.begin();
  for (const piece of bytes) sums.add(piece);
  return { crc32c: sums.end().crc32c, length: Buffer.concat(bytes).length };
}

const bytes = fc.uint8Array({ maxLength: 300 });

test('the sum of two parts is that of both read one after the other, and can be taken apart again', () => {
  fc.assert(
    fc.property(bytes, bytes, (first, second) => {
      const whole = sumOf(first, second);
      expect(appended(sumOf(first), sumOf(second))).toEqual(whole);
      expect(withoutEnd(whole, sumOf(second))).toEqual(sumOf(first));
      expect(appended(EMPTY, whole)).toEqual(whole);
    }),
  );
});

test('the sum of a file follows from that of the part that was replaced', () => {
  fc.assert(
    fc.property(bytes, bytes, bytes, (before, old, behind) => {
      const fresh = old.map((byte) => byte ^ 0x5a);
      const whole = sumOf(before, old, behind);
      expect(withReplaced(whole, before.length, sumOf(old), sumOf(fresh))).toEqual(
        sumOf(before, fresh, behind),
      );
    }),
  );
});

test('a gigabyte of zeros more or less is no other', () => {
  const mebibyte = sumOf(new Uint8Array(2 ** 20));
  let gibibyte = mebibyte;
  for (let doubled = 0; doubled < 10; doubled++) gibibyte = appended(gibibyte, gibibyte);
  expect(gibibyte.length).toBe(2 ** 30);
  const start = sumOf(Buffer.from('start'));
  expect(withoutEnd(appended(start, gibibyte), gibibyte)).toEqual(start);
});
