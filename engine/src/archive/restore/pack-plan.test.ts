import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BlobPlaces, PackPlan, rangesOf } from './pack-plan.ts';
import type { Uses } from './protocol.ts';
import { UseList } from './use-list.ts';

type Blob = readonly [pack: number, offset: number, length: number];

/** A table of data blobs, by number. */
function places(blobs: readonly Blob[]): BlobPlaces {
  const of = (entry: number) => blobs[entry] as Blob;
  return {
    size: blobs.length,
    typeOf: () => 'data',
    packOf: (entry) => of(entry)[0],
    offsetOf: (entry) => of(entry)[1],
    lengthOf: (entry) => of(entry)[2],
  };
}

type Use = readonly [entry: number, record: number, offset: number];

function uses(...all: readonly Use[]): Uses {
  const list = new UseList();
  for (const use of all) list.add(...use);
  return new Uint32Array(list.words);
}

function planOf(table: BlobPlaces, ...all: readonly Use[]): PackPlan {
  const plan = new PackPlan(table);
  for (const use of all) plan.add(...use);
  return plan;
}

const TABLE = places([
  [4, 100, 10],
  [2, 0, 50],
  [4, 0, 10],
]);

test('each pack is planned once, in the order in which files first need it', () => {
  const plan = planOf(TABLE, [0, 8, 0], [1, 16, 0], [2, 24, 0], [0, 32, 7]);
  expect(plan.takeAny()).toEqual({ pack: 4, uses: uses([2, 24, 0], [0, 8, 0], [0, 32, 7]) });
  expect(plan.takeAny()).toEqual({ pack: 2, uses: uses([1, 16, 0]) });
  expect(plan.takeAny()).toBeUndefined();
});

test('a pack is complete when each of its blobs is used, and needed again for a duplicate only', () => {
  const plan = planOf(TABLE, [0, 8, 0], [0, 16, 0]);
  expect(plan.takeComplete()).toBeUndefined();
  plan.add(2, 24, 0);
  expect(plan.takeComplete()?.uses).toEqual(uses([2, 24, 0], [0, 8, 0], [0, 16, 0]));
  expect(plan.takeComplete()).toBeUndefined();
  expect(plan.takeAny()).toBeUndefined();
  plan.add(0, 32, 0);
  expect(plan.takeComplete()).toBeUndefined();
  expect(plan.takeAny()).toEqual({ pack: 4, uses: uses([0, 32, 0]) });
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
        const plan = planOf(table, ...entries.map((entry, index) => [entry, index * 8, index] as const));
        const records: number[] = [];
        const next = () => plan.takeComplete() ?? plan.takeAny();
        for (let found = next(); found !== undefined; found = next()) {
          const { pack, uses: packUses } = found;
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
