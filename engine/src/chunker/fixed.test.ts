import { expect, it } from 'vitest';
import { isFailure } from '../kernel/failure.ts';
import { MAX_CHUNK } from './chunker.ts';
import { createFixedChunker } from './fixed.ts';

const MIB = 1024 * 1024;

it('cuts every megabyte when asked to, and ends with what is left', () => {
  const chunker = createFixedChunker(MIB);
  expect(chunker.cut(0, 3 * MIB, false)).toBe(MIB);
  expect(chunker.cut(2 * MIB, 3 * MIB, false)).toBe(3 * MIB);
  expect(chunker.cut(3 * MIB, 3 * MIB + 5, true)).toBe(3 * MIB + 5);
});

it('asks for more input while a chunk is not full and the file goes on', () => {
  const chunker = createFixedChunker(MIB);
  expect(chunker.cut(0, MIB - 1, false)).toBe(0);
  expect(chunker.cut(0, 0, true)).toBe(0);
});

it('refuses sizes that an index could not carry or a tool not expect, and a memory that holds no whole chunk', () => {
  const wrong: [number, number][] = [
    [64 * 1024 - 1, 2 * MAX_CHUNK],
    [MAX_CHUNK + 1, 2 * MAX_CHUNK],
    [MIB + 0.5, 2 * MAX_CHUNK],
    [2 * MIB, MIB],
  ];
  for (const [size, capacity] of wrong) {
    let thrown: unknown;
    try {
      createFixedChunker(size, capacity);
    } catch (error) {
      thrown = error;
    }
    expect(isFailure(thrown, 'internal')).toBe(true);
  }
});
