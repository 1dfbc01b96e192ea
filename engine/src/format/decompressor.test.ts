import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { openZstdDecompressor } from '../kernel/zstd.ts';
import { Decompressor } from './decompressor.ts';

const decompressor = new Decompressor();
afterAll(() => decompressor.close());

test('contents of any size come back, one after the other', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 5000 }), fc.nat(600), (bytes, times) => {
      const content = Buffer.concat(Array.from({ length: times + 1 }, () => bytes));
      expect(decompressor.decompress(zstdCompressSync(content), content.length).equals(content)).toBe(true);
    }),
  );
});

test('a view into a larger buffer is read from where it begins', () => {
  const content = Buffer.from('in the middle of something else, '.repeat(20));
  const compressed = zstdCompressSync(content);
  const around = Buffer.concat([Buffer.alloc(77, 1), compressed, Buffer.alloc(33, 2)]);
  const view = around.subarray(77, 77 + compressed.length);
  expect(decompressor.decompress(view, content.length).toString()).toBe(content.toString());
});

test.for([
  ['garbage', Buffer.from('this is no zstd frame'), 10],
  ['a frame that holds more than was promised', zstdCompressSync(Buffer.alloc(100)), 99],
  ['a frame that holds less than was promised', zstdCompressSync(Buffer.alloc(100)), 101],
  ['a frame that was cut off', zstdCompressSync(Buffer.from('abc'.repeat(100))).subarray(0, 12), 300],
  ['a length that would take all memory', zstdCompressSync(Buffer.alloc(100)), 4_000_000_000],
] as const)('%s is damage', ([, bytes, length]) => {
  expect(() => decompressor.decompress(bytes, length)).toThrow(
    expect.objectContaining({ code: 'repository.damaged' }),
  );
});

test("this Node's own zstd can be called", () => {
  const zstd = openZstdDecompressor();
  expect(zstd).toBeDefined();
  zstd?.close();
});
