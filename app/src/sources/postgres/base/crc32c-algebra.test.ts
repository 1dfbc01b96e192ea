import { createPageSums } from '@holdfast/engine';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EMPTY, type Part, type Replacement, withAllReplaced } from './crc32c-algebra.ts';

const sums = createPageSums();

function sumOf(...bytes: Uint8Array[]): Part {
  sums.begin();
  for (const piece of bytes) sums.add(piece);
  return { crc32c: sums.end().crc32c, length: bytes.reduce((length, piece) => length + piece.length, 0) };
}

const bytes = fc.uint8Array({ maxLength: 300 });
const changed = (old: Uint8Array) => old.map((byte) => byte ^ 0x5a);

test('the sum of a file follows from those of the parts that were replaced', () => {
  fc.assert(
    fc.property(fc.array(bytes), fc.array(fc.tuple(bytes, bytes)), (parts, end) => {
      const replaced: Replacement[] = [];
      const before: Uint8Array[] = [];
      const after: Uint8Array[] = [];
      for (const [at, old] of parts.entries()) {
        const fresh = at % 2 === 0 ? old : changed(old);
        if (at % 2 === 1)
          replaced.push({ offset: lengthOf(before), before: sumOf(old), after: sumOf(fresh) });
        before.push(old);
        after.push(fresh);
      }
      for (const [old, fresh] of end.filter(([old, fresh]) => old.length !== fresh.length)) {
        replaced.push({ offset: lengthOf(before), before: sumOf(old), after: sumOf(fresh) });
        before.push(old);
        after.push(fresh);
      }
      expect(withAllReplaced(sumOf(...before), replaced)).toEqual(sumOf(...after));
    }),
  );
});

test('a gigabyte more or less is no other', () => {
  let whole = sumOf(new Uint8Array(2 ** 20));
  for (let doubled = 0; doubled < 10; doubled++) {
    whole = withAllReplaced(whole, [{ offset: whole.length, before: EMPTY, after: whole }]);
  }
  expect(whole.length).toBe(2 ** 30);
  const start = sumOf(Buffer.from('start'));
  const longer = withAllReplaced(start, [{ offset: 5, before: EMPTY, after: whole }]);
  expect(withAllReplaced(longer, [{ offset: 5, before: whole, after: EMPTY }])).toEqual(start);
});

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((length, piece) => length + piece.length, 0);
}
