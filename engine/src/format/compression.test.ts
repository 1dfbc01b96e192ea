import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure, isFailure } from '../kernel/failure.ts';
import { compressBlob, decodeUnpacked, decompress, encodeUnpacked } from './compression.ts';

const repetitive = Buffer.from('every night, every night, '.repeat(1000));

describe('compressing blobs', () => {
  test.each(['auto', 'max'] as const)('what is compressed with %s comes back', (mode) => {
    const compressed = compressBlob('data', repetitive, mode);
    expect(compressed?.length).toBeLessThan(200);
    expect(decompress(compressed ?? Buffer.alloc(0), repetitive.length).equals(repetitive)).toBe(true);
  });

  test('off leaves data alone, but not trees', () => {
    expect(compressBlob('data', repetitive, 'off')).toBeUndefined();
    expect(compressBlob('tree', repetitive, 'off')).toBeDefined();
  });

  test('content that does not get smaller stays as it is', () => {
    expect(compressBlob('data', Buffer.from('abc'), 'auto')).toBeUndefined();
    expect(compressBlob('data', Buffer.alloc(0), 'max')).toBeUndefined();
  });

  test('a content that is longer or shorter than promised is damage', () => {
    const compressed = compressBlob('data', repetitive, 'auto') ?? Buffer.alloc(0);
    for (const promised of [0, 1, repetitive.length - 1, repetitive.length + 1, 2 ** 32 - 1]) {
      expect(() => decompress(compressed, promised)).toThrow(
        expect.objectContaining({ code: 'repository.damaged' }),
      );
    }
  });

  test('garbage is damage, never a crash', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        (bytes, length) => {
          expectDamage(() => decompress(bytes, length));
        },
      ),
    );
  });
});

describe('unpacked files', () => {
  const json = Buffer.from('{"time":"2026-01-01T00:00:00Z"}');

  test('format 1 keeps JSON as it is', () => {
    expect(encodeUnpacked(1, json, 'max').equals(json)).toBe(true);
    expect(decodeUnpacked(json).equals(json)).toBe(true);
  });

  test('format 2 compresses, whatever the mode', () => {
    for (const mode of ['off', 'auto', 'max'] as const) {
      const encoded = encodeUnpacked(2, json, mode);
      expect(encoded[0]).toBe(2);
      expect(decodeUnpacked(encoded).equals(json)).toBe(true);
    }
  });

  test('an array is JSON as well, as old restic wrote it', () => {
    expect(decodeUnpacked(Buffer.from('[]')).toString()).toBe('[]');
  });

  test('an encoding of the future is refused by name', () => {
    expect(() => decodeUnpacked(Buffer.from([3, 1, 2]))).toThrow(
      expect.objectContaining({ code: 'repository.unsupported' }),
    );
  });

  test('a file that would fill the memory is refused', { timeout: 20_000 }, () => {
    const bomb = compressBlob('tree', Buffer.alloc(257 * 1024 * 1024), 'auto') ?? Buffer.alloc(0);
    expect(bomb.length).toBeLessThan(100_000);
    expect(() => decodeUnpacked(Buffer.concat([Buffer.from([2]), bomb]))).toThrow(
      expect.objectContaining({ code: 'repository.damaged' }),
    );
  });

  test('garbage is told, never a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decodeUnpacked(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});

function expectDamage(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    expect(isFailure(error, 'repository.damaged')).toBe(true);
  }
}
