import { describe, expect, test } from 'vitest';
import { degreeOf, isIrreducible, randomPolynomial } from './polynomial.ts';

describe('irreducibility', () => {
  test('is told right for every polynomial up to degree 10', () => {
    const limit = 1 << 11;
    const reducible = new Set<number>();
    for (let a = 2; a < limit; a++) {
      for (let b = 2; b <= a; b++) {
        const product = multiply(a, b);
        if (product >= limit) {
          break;
        }
        reducible.add(product);
      }
    }
    for (let f = 0; f < limit; f++) {
      expect([f, isIrreducible(BigInt(f))]).toEqual([f, f >= 2 && !reducible.has(f)]);
    }
  });

  test('holds for the polynomials that restic and rustic drew', () => {
    for (const drawn of [
      '25f4e9d82c73f9',
      '3509aec7824197',
      '343b00f46df08f',
      '2935602241645d',
      '20de3275bd2427',
    ]) {
      expect(isIrreducible(BigInt(`0x${drawn}`))).toBe(true);
    }
  });
});

test('a random polynomial has degree 53 and is irreducible', () => {
  for (let round = 0; round < 5; round++) {
    const drawn = randomPolynomial();
    expect(drawn).toMatch(/^[23][0-9a-f]{13}$/);
    expect(degreeOf(BigInt(`0x${drawn}`))).toBe(53);
    expect(isIrreducible(BigInt(`0x${drawn}`))).toBe(true);
  }
});

function multiply(a: number, b: number): number {
  let product = 0;
  for (let i = 0; 1 << i <= b; i++) {
    product ^= (b >> i) & 1 ? a << i : 0;
  }
  return product;
}
