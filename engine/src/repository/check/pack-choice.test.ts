import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Id } from '../../kernel/id.ts';
import { choosePacks } from './pack-choice.ts';

const packs = Array.from({ length: 200 }, (_, at) => ({
  id: at.toString(16).padStart(2, '0').padEnd(64, '0') as Id,
  size: 100 + at,
}));

/** Draws the same numbers every time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('a part of the data', () => {
  test('is nothing, or everything', () => {
    expect(choosePacks(packs, 'none', numbers(1))).toEqual([]);
    expect(choosePacks(packs, 'all', numbers(1))).toEqual(packs);
  });

  test('in per cent is that many packs, each once, others with other numbers', () => {
    const chosen = choosePacks(packs, { percent: 10 }, numbers(1));
    expect(new Set(chosen).size).toBe(20);
    expect(chosen).not.toEqual(choosePacks(packs, { percent: 10 }, numbers(2)));
  });

  test('is at least one pack, however small the percentage', () => {
    expect(choosePacks(packs.slice(0, 3), { percent: 0.1 }, numbers(1))).toHaveLength(1);
    expect(choosePacks([], { percent: 50 }, numbers(1))).toEqual([]);
  });

  test('in bytes is reached, and not by more than one pack', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30_000 }), fc.integer({ min: 1, max: 1_000 }), (bytes, seed) => {
        const chosen = choosePacks(packs, { bytes }, numbers(seed));
        const sum = chosen.reduce((total, { size }) => total + size, 0);
        expect(sum).toBeGreaterThanOrEqual(bytes);
        expect(sum - (chosen.at(-1)?.size ?? 0)).toBeLessThan(bytes);
      }),
    );
  });

  test('of n parts together is everything, each pack once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 256 }), (of) => {
        const parts = Array.from({ length: of }, (_, at) =>
          choosePacks(packs, { n: at + 1, of }, numbers(1)),
        );
        expect(parts.flat().sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(packs);
      }),
    );
  });

  test('is divided as restic divides, by the first byte of the name', () => {
    expect(choosePacks(packs, { n: 3, of: 100 }, numbers(1)).map(({ id }) => id.slice(0, 2))).toEqual([
      '02',
      '66',
    ]);
  });

  test.each([
    { percent: 0 },
    { percent: 101 },
    { bytes: 0 },
    { n: 0, of: 5 },
    { n: 6, of: 5 },
    { n: 1, of: 257 },
    { n: 1.5, of: 3 },
  ])('that is none is refused: %j', (part) => {
    expect(() => choosePacks(packs, part, numbers(1))).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
