import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PackPlan, rangesOf } from './pack-plan.ts';
import type { Uses } from './protocol.ts';
import { UseList } from './use-list.ts';

/** Blobs by number: pack, offset, length. */
function places(blobs: readonly (readonly [pack: number, offset: number, length: number])[]) {
  const of = (entry: number) => blobs[entry] as readonly [number, number, number];
  return {
    packOf: (entry: number) => of(entry)[0],
    offsetOf: (entry: number) => of(entry)[1],
    lengthOf: (entry: number) => of(entry)[2],
  };
}

function uses(...all: readonly (readonly [entry: number, record: number, offset: number])[]): Uses {
  const list = new UseList();
  for (const [entry, record, offset] of all) list.add(entry, record, offset);
  return new Uint32Array(list.words);
}

test('each pack is planned once, in the order in which files first need it', () => {
  const table = places([
    [4, 100, 10],
    [2, 0, 50],
    [4, 0, 10],
  ]);
  const plan = new PackPlan(uses([0, 8, 0], [1, 16, 0], [2, 24, 0], [0, 32, 7]), table);
  expect(plan.packs).toEqual([4, 2]);
  expect([...plan.usesOf(4)]).toEqual([...uses([2, 24, 0], [0, 8, 0], [0, 32, 7])]);
  expect([...plan.usesOf(2)]).toEqual([...uses([1, 16, 0])]);
});

test('an offset beyond 4 GiB survives', () => {
  const [, , low, high] = uses([0, 8, 2 ** 40 + 5]);
  expect((low as number) + (high as number) * 2 ** 32).toBe(2 ** 40 + 5);
});

test('every use is in exactly one pack, and the ranges hold every blob', () => {
  const blob = fc.tuple(fc.nat(5), fc.nat(10_000_000), fc.integer({ min: 33, max: 500_000 }));
  fc.assert(
    fc.property(
      fc.array(blob, { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(19), { maxLength: 60 }),
      (blobs, used) => {
        const table = places(blobs);
        const entries = used.map((entry) => entry % blobs.length);
        const plan = new PackPlan(
          uses(...entries.map((entry, index) => [entry, index * 8, index] as const)),
          table,
        );
        const records: number[] = [];
        for (const pack of plan.packs) {
          const packUses = plan.usesOf(pack);
          const ranges = rangesOf(packUses, table);
          for (let at = 0; at < packUses.length; at += 4) {
            const entry = packUses[at] as number;
            records.push(packUses[at + 1] as number);
            expect(table.packOf(entry)).toBe(pack);
            const [offset, end] = [table.offsetOf(entry), table.offsetOf(entry) + table.lengthOf(entry)];
            expect(ranges.some((range) => range.offset <= offset && end <= range.offset + range.length)).toBe(
              true,
            );
          }
        }
        expect(records.sort((a, b) => a - b)).toEqual(entries.map((_, index) => index * 8));
      },
    ),
  );
});

test('what lies close together is read in one go, what lies far apart is not', () => {
  const table = places([
    [0, 0, 100],
    [0, 200_000, 100],
    [0, 5_000_000, 100],
  ]);
  expect(rangesOf(uses([0, 8, 0], [1, 16, 0], [2, 24, 0]), table)).toEqual([
    { offset: 0, length: 200_100 },
    { offset: 5_000_000, length: 100 },
  ]);
});
