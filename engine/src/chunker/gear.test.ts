import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFailure } from '../kernel/failure.ts';
import { sha256Id } from '../kernel/hash.ts';
import { type Chunker, MAX_CHUNK, MIN_CHUNK } from './chunker.ts';
import { createChunker, gearTable } from './gear.ts';

const MIB = 1024 * 1024;
const POLYNOMIAL = '3da3358b4dc173';

/** Bytes that nobody can compress, the same on every machine: an AES-CTR key stream. */
function noise(length: number, seed = 0): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Cuts `content` the way a backup does: through the chunker's memory, one filling after the other. */
function cutAll(chunker: Chunker, content: Uint8Array): number[] {
  const cuts: number[] = [];
  let consumed = 0;
  while (consumed < content.length) {
    const filling = content.subarray(consumed, consumed + chunker.memory.length);
    chunker.memory.set(filling);
    const final = consumed + filling.length === content.length;
    let start = 0;
    for (;;) {
      const end = chunker.cut(start, filling.length, final);
      if (end === 0) break;
      cuts.push(consumed + end);
      start = end;
      if (end === filling.length) break;
    }
    consumed += start;
  }
  return cuts;
}

/** The definition, slowly: the hash as two halves of 32 bits, one position after the other. */
function referenceCuts(polynomial: string, content: Uint8Array): number[] {
  const table = Buffer.from(gearTable(polynomial));
  const low = Array.from({ length: 256 }, (_, index) => table.readUInt32LE(index * 8));
  const high = Array.from({ length: 256 }, (_, index) => table.readUInt32LE(index * 8 + 4));
  const cuts: number[] = [];
  let start = 0;
  while (start < content.length) {
    const limit = Math.min(start + MAX_CHUNK, content.length);
    let end = limit;
    let hashLow = 0;
    let hashHigh = 0;
    for (let at = start + MIN_CHUNK - 63; at < limit; at++) {
      const byte = content[at] ?? 0;
      const sumLow = ((hashLow << 1) >>> 0) + (low[byte] ?? 0);
      const carried = sumLow > 0xffffffff ? 1 : 0;
      hashHigh = (((hashHigh << 1) | (hashLow >>> 31)) + (high[byte] ?? 0) + carried) >>> 0;
      hashLow = sumLow >>> 0;
      const size = at + 1 - start;
      if (size > MIN_CHUNK && hashHigh >>> (size <= MIB ? 10 : 14) === 0) {
        end = at + 1;
        break;
      }
    }
    cuts.push(end);
    start = end;
  }
  return cuts;
}

function chunkIds(content: Uint8Array, cuts: readonly number[]): string[] {
  return cuts.map((end, index) => sha256Id(content.subarray(index === 0 ? 0 : cuts[index - 1], end)));
}

describe('the gear chunker', () => {
  it('cuts where it has always cut: other cuts would break deduplication with every existing repository', () => {
    const cuts = cutAll(createChunker(POLYNOMIAL), noise(12 * MIB));
    expect(cuts).toEqual([
      1163861, 1763835, 2296923, 3531827, 4596695, 5700911, 7252025, 8709962, 10200528, 11598271, 12582912,
    ]);
    expect(sha256Id(gearTable(POLYNOMIAL))).toBe(
      '8347584594bc7477d6518334ef0e770dd14aa36203b9673377a259c4bd187eab',
    );
  });

  it('cuts exactly as the definition says, whatever the content and the polynomial', () => {
    const content = fc.oneof(
      fc.record({ length: fc.nat(5 * MIB), seed: fc.nat() }).map(({ length, seed }) => noise(length, seed)),
      fc
        .record({ length: fc.nat(3 * MIB), pattern: fc.uint8Array({ minLength: 1, maxLength: 100_000 }) })
        .map(({ length, pattern }) => Buffer.alloc(length, pattern)),
    );
    const polynomial = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((value) => value.toString(16));
    fc.assert(
      fc.property(content, polynomial, (bytes, digits) => {
        expect(cutAll(createChunker(digits, MAX_CHUNK), bytes)).toEqual(referenceCuts(digits, bytes));
      }),
      { numRuns: 25 },
    );
  });

  it('finds most chunks again after an insertion in the middle', () => {
    const content = noise(40 * MIB);
    const shifted = Buffer.concat([
      content.subarray(0, 20 * MIB),
      Buffer.from('inserted'),
      content.subarray(20 * MIB),
    ]);
    const chunker = createChunker(POLYNOMIAL);
    const before = chunkIds(content, cutAll(chunker, content));
    const after = new Set(chunkIds(shifted, cutAll(chunker, shifted)));
    const lost = before.filter((id) => !after.has(id));
    expect(before.length).toBeGreaterThan(25);
    expect(lost.length).toBeLessThanOrEqual(4);
  });

  it('keeps every chunk between 512 KiB and 8 MiB, the last one excepted, and the mean near 1.2 MiB', () => {
    const content = noise(96 * MIB, 7);
    const cuts = cutAll(createChunker(POLYNOMIAL), content);
    const sizes = cuts.map((end, index) => end - (cuts[index - 1] ?? 0));
    expect(cuts.at(-1)).toBe(content.length);
    for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThanOrEqual(MIN_CHUNK);
    for (const size of sizes) expect(size).toBeLessThanOrEqual(MAX_CHUNK);
    const mean = content.length / sizes.length;
    expect(mean).toBeGreaterThan(1.05 * MIB);
    expect(mean).toBeLessThan(1.4 * MIB);
  });

  it('cuts a stretch of zeros into chunks of the largest size', () => {
    const cuts = cutAll(createChunker(POLYNOMIAL), Buffer.alloc(20 * MIB));
    expect(cuts).toEqual([8 * MIB, 16 * MIB, 20 * MIB]);
  });

  it('gives the same cuts for the same polynomial, and others for another', () => {
    const content = noise(8 * MIB);
    const cuts = cutAll(createChunker(POLYNOMIAL), content);
    expect(cutAll(createChunker(POLYNOMIAL.toUpperCase()), content)).toEqual(cuts);
    expect(cutAll(createChunker('3da3358b4dc175'), content)).not.toEqual(cuts);
  });

  it('asks for more input instead of guessing where the next chunk ends', () => {
    const chunker = createChunker(POLYNOMIAL);
    expect(chunker.cut(0, 0, false)).toBe(0);
    expect(chunker.cut(0, 0, true)).toBe(0);
    expect(chunker.cut(0, MAX_CHUNK - 1, false)).toBe(0);
    expect(chunker.cut(0, MAX_CHUNK, false)).toBe(MAX_CHUNK);
    expect(chunker.cut(100, 101, true)).toBe(101);
  });

  it('refuses a polynomial that is no number, since its cuts would never be found again', () => {
    for (const polynomial of ['', 'xyz', '123456789abcdef01']) {
      let thrown: unknown;
      try {
        createChunker(polynomial);
      } catch (error) {
        thrown = error;
      }
      expect(isFailure(thrown, 'repository.damaged')).toBe(true);
    }
  });
});
