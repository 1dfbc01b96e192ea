import { randomBytes } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { Failure } from '../kernel/failure.ts';
import { compressBlob, decompress } from './compression.ts';
import { openCompressor } from './compressor.ts';

const compressor = openCompressor();
afterAll(() => compressor.close());

const text = (length: number) =>
  Buffer.from('all work and no play makes jack a dull boy. '.repeat(length / 40 + 1)).subarray(0, length);

test('what the own zstd compresses, node:zlib decompresses, and the other way round', () => {
  for (const length of [1, 100, 4096, 100_000, 3_000_000]) {
    const content = Buffer.concat([text(length), randomBytes(length >> 4)]);
    const ours = compressor.compressBlob('data', content, 'auto');
    const theirs = compressBlob('data', content, 'auto');
    expect(ours?.length).toBe(theirs?.length);
    if (ours === undefined || theirs === undefined) continue;
    expect(decompress(Buffer.from(ours), content.length).equals(content)).toBe(true);
    expect(compressor.decompress(theirs, content.length).equals(content)).toBe(true);
  }
});

test('content that does not get smaller is stored as it is, small or large', () => {
  for (const length of [0, 10, 5_000, 2_000_000]) {
    expect(compressor.compressBlob('data', randomBytes(length), 'auto')).toBeUndefined();
  }
});

test('with compression off data stays as it is, and trees shrink all the same', () => {
  expect(compressor.compressBlob('data', text(10_000), 'off')).toBeUndefined();
  expect(compressor.compressBlob('tree', text(10_000), 'off')?.length).toBeLessThan(1_000);
});

test('a chunk is not taken for incompressible when only its beginning is', () => {
  const content = Buffer.concat([randomBytes(200_000), text(800_000)]);
  expect(compressor.compressBlob('data', content, 'auto')?.length).toBeLessThan(300_000);
});

test('damaged or mislabelled content is damage, never a shorter or longer answer', () => {
  const content = text(50_000);
  const compressed = Buffer.from(compressor.compressBlob('data', content, 'auto') ?? []);
  expect(() => compressor.decompress(compressed, 49_999)).toThrow(Failure);
  expect(() => compressor.decompress(compressed, 50_001)).toThrow(Failure);
  expect(() => compressor.decompress(compressed.subarray(0, compressed.length - 3), 50_000)).toThrow(Failure);
  expect(() => compressor.decompress(randomBytes(400), 50_000)).toThrow(Failure);
  expect(() => compressor.decompress(compressed, 2 ** 32 - 1)).toThrow(Failure);
  expect(compressor.decompress(compressed, 50_000).equals(content)).toBe(true);
});
