import { randomBytes } from 'node:crypto';

/*
 * Polynomials over GF(2), as restic's config names the one that chunks are cut with: bit i of a bigint is the
 * coefficient of x^i, so adding is xor. restic writes them as hexadecimal digits.
 */

/** Prime, and such that a byte more still fits into 64 bits (Rabin, "Fingerprinting by Random Polynomials"). */
export const CHUNKER_DEGREE = 53;

const X = 0b10n;

/** An irreducible polynomial of degree 53, drawn evenly from all of them, as restic writes it. */
export function randomPolynomial(): string {
  for (;;) {
    const drawn = BigInt.asUintN(CHUNKER_DEGREE, randomBytes(8).readBigUInt64LE());
    // With the constant term set it is at least not divisible by x.
    const candidate = (1n << BigInt(CHUNKER_DEGREE)) | drawn | 1n;
    if (isIrreducible(candidate)) {
      return candidate.toString(16);
    }
  }
}

/**
 * Rabin's test: f of degree n has no divisor if x^(2^n) = x (mod f), and if x^(2^(n/q)) − x has no common divisor
 * with f for any prime q that divides n.
 */
export function isIrreducible(f: bigint): boolean {
  const n = degreeOf(f);
  if (n < 1) {
    return false;
  }
  const powers = [remainder(X, f)];
  for (let i = 1; i <= n; i++) {
    const root = powers[i - 1] ?? 0n;
    powers.push(multiply(root, root, f));
  }
  const x = powers[0];
  return (
    powers[n] === x &&
    primeDivisors(n).every((q) => greatestCommonDivisor(f, (powers[n / q] ?? 0n) ^ (x ?? 0n)) === 1n)
  );
}

/** −1 for the zero polynomial. */
export function degreeOf(f: bigint): number {
  return f === 0n ? -1 : f.toString(2).length - 1;
}

/** a·b (mod f), for a and b of a degree below f's. */
function multiply(a: bigint, b: bigint, f: bigint): bigint {
  const top = 1n << BigInt(degreeOf(f));
  let product = 0n;
  for (let rest = b, shifted = a; rest !== 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) {
      product ^= shifted;
    }
    shifted <<= 1n;
    if ((shifted & top) !== 0n) {
      shifted ^= f;
    }
  }
  return product;
}

function remainder(a: bigint, f: bigint): bigint {
  const degree = degreeOf(f);
  let rest = a;
  for (let excess = degreeOf(rest) - degree; excess >= 0; excess = degreeOf(rest) - degree) {
    rest ^= f << BigInt(excess);
  }
  return rest;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, remainder(a, b));
}

function primeDivisors(n: number): number[] {
  const primes: number[] = [];
  let rest = n;
  for (let q = 2; rest > 1; q++) {
    if (rest % q === 0) {
      primes.push(q);
    }
    while (rest % q === 0) {
      rest /= q;
    }
  }
  return primes;
}
