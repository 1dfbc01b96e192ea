/**
 * Arithmetic on CRC-32C sums, so that the sum of a file of which a part was replaced follows from the sums of the parts:
 * what stayed as it was need not be read again.
 *
 * A sum is a polynomial over GF(2) modulo Castagnoli's, its bits reversed: the highest bit is the coefficient of x⁰. To
 * append n bytes multiplies what is before them by x⁸ⁿ. That polynomial is x + 1 times one of degree 31, so x has the
 * order 2³¹ − 1, which is prime: exponents count modulo it, and to take bytes away is to multiply as well.
 */
const POLYNOMIAL = 0x82f63b78;
const ONE = 0x8000_0000;
const ORDER = 2 ** 31 - 1;

/** The sum of a part of known length. */
export interface Part {
  readonly crc32c: number;
  /** Bytes. */
  readonly length: number;
}

export const EMPTY: Part = { crc32c: 0, length: 0 };

export interface Replacement {
  /** Where it is in the whole. */
  readonly offset: number;
  readonly before: Part;
  readonly after: Part;
}

/**
 * The sum of a whole of which parts were replaced, given in ascending order. Those that are as long as before may be
 * anywhere; all others lie side by side at its end: it became longer or shorter there.
 */
export function withAllReplaced(whole: Part, replaced: readonly Replacement[]): Part {
  let sum = whole;
  let [oldEnd, newEnd] = [EMPTY, EMPTY];
  for (const { offset, before, after } of replaced) {
    if (before.length === after.length) {
      sum = withReplaced(sum, offset, before, after);
    } else {
      oldEnd = appended(oldEnd, before);
      newEnd = appended(newEnd, after);
    }
  }
  return appended(withoutEnd(sum, oldEnd), newEnd);
}

/** The sum of `first` followed by `second`. */
function appended(first: Part, second: Part): Part {
  return {
    crc32c: (shifted(first.crc32c, second.length) ^ second.crc32c) >>> 0,
    length: first.length + second.length,
  };
}

/** The sum of what is before `end` in `whole`. */
function withoutEnd(whole: Part, end: Part): Part {
  return {
    crc32c: shifted((whole.crc32c ^ end.crc32c) >>> 0, -end.length),
    length: whole.length - end.length,
  };
}

/** The sum of `whole` when the bytes from `offset` on that sum up to `before` are replaced by as many others. */
function withReplaced(whole: Part, offset: number, before: Part, after: Part): Part {
  const behind = whole.length - offset - before.length;
  const difference = shifted((before.crc32c ^ after.crc32c) >>> 0, behind);
  return { crc32c: (whole.crc32c ^ difference) >>> 0, length: whole.length };
}

/** What `sum` becomes when so many bytes follow, less than none when they are taken away. */
function shifted(sum: number, bytes: number): number {
  // 8 times a remainder is exact in a double.
  const bits = ((bytes % ORDER) * 8) % ORDER;
  return multiply(power(bits < 0 ? bits + ORDER : bits), sum);
}

/** x to the power of `exponent`. */
function power(exponent: number): number {
  let result = ONE;
  for (let bit = 0; bit < 31; bit++) {
    if ((exponent >>> bit) & 1) result = multiply(SQUARES[bit] ?? ONE, result);
  }
  return result;
}

function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) product ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return product >>> 0;
}

/** x to the powers of 1, 2, 4, … 2³⁰. */
const SQUARES: readonly number[] = (() => {
  const squares = [ONE >>> 1];
  while (squares.length < 31) {
    const last = squares.at(-1) ?? ONE;
    squares.push(multiply(last, last));
  }
  return squares;
})();
