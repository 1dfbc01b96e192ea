import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../kernel/failure.ts';
import { idFromBytes } from '../kernel/id.ts';
import { decodeHeader, encodeHeader, encodeTrailer, headerLengthOf, packLengthFor } from './pack.ts';
import type { PackedBlob } from './types.ts';

const arbitraryBlobs = fc
  .array(
    fc.record({
      type: fc.constantFrom('data' as const, 'tree' as const),
      id: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => idFromBytes(bytes)),
      length: fc.integer({ min: 32, max: 2 ** 32 - 1 }),
      uncompressedLength: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 32 - 1 })),
    }),
    { maxLength: 20 },
  )
  .map((blobs): PackedBlob[] => {
    let offset = 0;
    return blobs.map((blob) => {
      const placed = { ...blob, offset };
      offset += blob.length;
      return placed;
    });
  });

describe('a pack header', () => {
  test('tells the blobs that were put in, with their offsets', () => {
    fc.assert(
      fc.property(arbitraryBlobs, (blobs) => {
        expect(decodeHeader(encodeHeader(blobs))).toEqual(blobs);
      }),
    );
  });

  test('has 37 bytes for a plain blob and 41 for a compressed one', () => {
    const id = idFromBytes(Buffer.alloc(32, 0xab));
    const header = encodeHeader([
      { type: 'data', id, offset: 0, length: 100, uncompressedLength: 0 },
      { type: 'tree', id, offset: 100, length: 0x01020304, uncompressedLength: 5 },
    ]);
    expect(header.toString('hex')).toBe(`0064000000${id}030403020105000000${id}`);
  });

  test('makes a pack as long as the index can tell', () => {
    const id = idFromBytes(Buffer.alloc(32));
    const blobs: PackedBlob[] = [{ type: 'data', id, offset: 0, length: 100, uncompressedLength: 7 }];
    expect(packLengthFor(blobs)).toBe(100 + 41 + 32 + 4);
  });

  test('that is cut off, or names an unknown type or an impossible length, is damage', () => {
    const id = Buffer.alloc(32);
    const entry = (type: number, length: number) => Buffer.concat([Buffer.from([type, length, 0, 0, 0]), id]);
    for (const header of [entry(0, 40).subarray(1), entry(4, 40), entry(0, 31), entry(2, 40)]) {
      expect(() => decodeHeader(header)).toThrow(expect.objectContaining({ code: 'repository.damaged' }));
    }
  });

  test('of garbage is told, never a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
        try {
          decodeHeader(garbage);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});

describe('a pack trailer', () => {
  test('tells the length of the sealed header', () => {
    expect(headerLengthOf(encodeTrailer(69), 1000)).toBe(69);
  });

  test.each([0, 32, 68, 1000 - 3, 16 * 1024 * 1024 + 1, 2 ** 32 - 1])(
    'cannot tell %d in 1000 bytes',
    (length) => {
      expect(() => headerLengthOf(encodeTrailer(length), 1000)).toThrow(
        expect.objectContaining({ code: 'repository.damaged' }),
      );
    },
  );

  test('is missing when the pack has fewer than four bytes', () => {
    expect(() => headerLengthOf(Buffer.alloc(3), 3)).toThrow(
      expect.objectContaining({ code: 'repository.damaged' }),
    );
  });
});
