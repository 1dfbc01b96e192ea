import { expect, test } from 'vitest';
import type { PackedBlob } from '../../format/types.ts';
import { sha256Id } from '../../kernel/hash.ts';
import { endOf, runsOf, startOf } from './blob-runs.ts';

const MIB = 1024 * 1024;
const id = sha256Id(Buffer.from('any'));

function blob(offset: number, length: number, uncompressedLength = 0): PackedBlob {
  return { type: 'data', id, offset, length, uncompressedLength };
}

function ranges(blobs: readonly PackedBlob[]): string[] {
  return runsOf(blobs).map((run) => `${startOf(run)}–${endOf(run)}`);
}

test('blobs beside each other are read at once, and so is a small gap between them', () => {
  expect(ranges([blob(0, 100), blob(100, 50), blob(150 + MIB, 50)])).toEqual([`0–${200 + MIB}`]);
});

test('a large gap is not read', () => {
  expect(ranges([blob(0, 100), blob(101 + MIB, 50)])).toEqual(['0–100', `${101 + MIB}–${151 + MIB}`]);
});

test('a large pack is read in parts', () => {
  const blobs = Array.from({ length: 40 }, (_, at) => blob(at * MIB, MIB));
  expect(ranges(blobs)).toEqual([`0–${24 * MIB}`, `${24 * MIB}–${40 * MIB}`]);
});

test('what becomes large when it is decompressed is read in parts as well', () => {
  const blobs = Array.from({ length: 20 }, (_, at) => blob(at * 1000, 1000, 8 * MIB));
  expect(ranges(blobs)).toEqual(['0–8000', '8000–16000', '16000–20000']);
});

test('no blobs are no reads', () => {
  expect(runsOf([])).toEqual([]);
});
