import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HOLE_BYTES, writeAroundZeros } from './zero-runs.ts';

function stretches(bytes: Uint8Array): [number, number][] {
  const found: [number, number][] = [];
  writeAroundZeros(bytes, (from, to) => found.push([from, to]));
  return found;
}

test('what is written around the holes is everything that is not zero', () => {
  const piece = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 3 * HOLE_BYTES }));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const bytes = Buffer.concat(pieces.map(([zero, length]) => Buffer.alloc(length, zero ? 0 : 7)));
      const rebuilt = Buffer.alloc(bytes.length);
      writeAroundZeros(bytes, (from, to) => rebuilt.set(bytes.subarray(from, to), from));
      expect(rebuilt.equals(bytes)).toBe(true);
    }),
  );
});

test('zeros alone are one hole', () => {
  expect(stretches(new Uint8Array(4 * HOLE_BYTES))).toEqual([]);
});

test('a run shorter than a hole is written', () => {
  const bytes = new Uint8Array(HOLE_BYTES - 1);
  expect(stretches(bytes)).toEqual([[0, HOLE_BYTES - 1]]);
});

test('a piece that is zero at both ends only is no hole', () => {
  const bytes = new Uint8Array(HOLE_BYTES);
  bytes[HOLE_BYTES / 2] = 1;
  expect(stretches(bytes)).toEqual([[0, HOLE_BYTES]]);
});
