import { describe, expect, test } from 'vitest';
import { decompress } from '../format/compression.ts';
import { openCompressor } from '../format/compressor.ts';
import { randomMasterKey } from '../format/key-file.ts';
import { decodeHeader, headerLengthOf, MOST_BLOBS, TRAILER_LENGTH } from '../format/pack.ts';
import { open, SEAL_OVERHEAD } from '../format/sealing.ts';
import type { PackedBlob } from '../format/types.ts';
import { sha256Id } from '../kernel/hash.ts';
import { noise } from '../testing/index.ts';
import { BlobTable } from './blob-table.ts';
import { type FinishedPack, Packer, type PackerOptions } from './packer.ts';

const key = randomMasterKey();
const MiB = 1024 * 1024;

/** A packer whose packs are copied as they come, and whose buffers come back to it. */
function collect(options: Partial<PackerOptions> = {}) {
  const packs: FinishedPack[] = [];
  const buffers: ArrayBuffer[] = [];
  const table = BlobTable.create(0);
  const packer = new Packer({
    key,
    table,
    version: 2,
    compression: 'auto',
    compressor: openCompressor(),
    packSize: 16 * MiB,
    recycled: () => buffers.pop(),
    deliver: (pack) => {
      packs.push({ ...pack, bytes: pack.bytes.slice() });
      // What the last pack left in it must not matter.
      pack.bytes.fill(0xaa);
      buffers.push(pack.bytes.buffer);
    },
    ...options,
  });
  return { packer, packs, table };
}

function decode({ bytes }: FinishedPack): { blob: PackedBlob; plaintext: Buffer; nonces: string[] }[] {
  const headerLength = headerLengthOf(bytes.subarray(-TRAILER_LENGTH), bytes.length);
  const headerAt = bytes.length - TRAILER_LENGTH - headerLength;
  const blobs = decodeHeader(open(key, bytes.subarray(headerAt, headerAt + headerLength)));
  const end = blobs.reduce((sum, { length }) => sum + length, 0);
  expect(end).toBe(headerAt);
  return blobs.map((blob) => {
    const sealed = bytes.subarray(blob.offset, blob.offset + blob.length);
    const stored = open(key, sealed);
    const plaintext = blob.uncompressedLength > 0 ? decompress(stored, blob.uncompressedLength) : stored;
    const blocks = Math.max(1, Math.ceil((blob.length - SEAL_OVERHEAD) / 16));
    return { blob, plaintext, nonces: counters(sealed.subarray(0, 16), blocks) };
  });
}

/** The counter blocks that AES-CTR goes through for so many blocks. */
function counters(iv: Uint8Array, blocks: number): string[] {
  const first = BigInt(`0x${Buffer.from(iv).toString('hex')}`);
  return Array.from({ length: blocks }, (_, block) =>
    BigInt.asUintN(128, first + BigInt(block)).toString(16),
  );
}

function text(length: number, seed: number): Buffer {
  return Buffer.from(`line ${seed} of a text that compresses well\n`.repeat(Math.ceil(length / 30))).subarray(
    0,
    length,
  );
}

describe('a pack', () => {
  test('holds what was saved, under its hash, as format says, and is named by its own', () => {
    const { packer, packs, table } = collect();
    const contents = [
      noise(1),
      noise(15),
      noise(16),
      noise(17),
      noise(100_000),
      text(100_000, 1),
      noise(524_288),
    ];
    const saved = contents.map((content) => packer.save('data', content));
    expect(packs).toEqual([]);
    packer.flush();
    expect(packs.map(({ type, id }) => [type, id])).toEqual([['data', sha256Id(packs[0]!.bytes)]]);
    const decoded = decode(packs[0]!);
    expect(decoded.map(({ plaintext }) => sha256Id(plaintext))).toEqual(
      saved.map(({ id }) => id.toString('hex')),
    );
    expect(decoded.map(({ blob }) => blob.id)).toEqual(saved.map(({ id }) => id.toString('hex')));
    const rows = decoded.map(({ blob }) => [
      table.findId('data', blob.id),
      blob.offset,
      blob.length,
      blob.uncompressedLength,
    ]);
    expect(Array.from(packs[0]!.layout)).toEqual(rows.flat());
    expect(saved.map(({ added }) => added)).toEqual(contents.map(({ length }) => length));
    expect(saved[5]!.packed).toBeLessThan(5_000);
  });

  test('keeps data and trees apart, also of the same bytes', () => {
    const { packer, packs } = collect();
    const bytes = Buffer.from('{"nodes":[]}\n');
    packer.save('data', bytes);
    packer.save('tree', bytes);
    packer.flush();
    expect(packs.map(({ type }) => type)).toEqual(['data', 'tree']);
    for (const pack of packs) expect(decode(pack).map(({ blob }) => blob.type)).toEqual([pack.type]);
  });

  test('takes each content once', () => {
    const { packer, packs } = collect();
    expect(packer.save('data', text(9, 1)).packed).toBeGreaterThan(0);
    expect(packer.save('data', text(9, 1))).toMatchObject({ added: 0, packed: 0 });
    packer.flush();
    packer.flush();
    expect(packs).toHaveLength(1);
    expect(decode(packs[0]!)).toHaveLength(1);
  });

  test('never uses a counter block twice, within a pack or across packs', () => {
    const { packer, packs } = collect({ packSize: 50_000, compression: 'off' });
    for (let size = 1; size < 300; size += 1) packer.save('data', noise(size * 7));
    packer.flush();
    expect(packs.length).toBeGreaterThan(5);
    const used = packs.flatMap((pack) => {
      const { bytes } = pack;
      const headerLength = headerLengthOf(bytes.subarray(-TRAILER_LENGTH), bytes.length);
      const headerAt = bytes.length - TRAILER_LENGTH - headerLength;
      const header = counters(
        bytes.subarray(headerAt, headerAt + 16),
        Math.ceil((headerLength - SEAL_OVERHEAD) / 16),
      );
      return [...header, ...decode(pack).flatMap(({ nonces }) => nonces)];
    });
    expect(new Set(used).size).toBe(used.length);
  });

  test('grows for a blob of 8 MiB, before and after small ones, and after a buffer that is too small came back', () => {
    const { packer, packs } = collect({ packSize: MiB });
    const large = noise(8 * MiB);
    const contents = [noise(2_000_000), noise(100), large, noise(500), text(8 * MiB, 3), noise(8 * MiB - 1)];
    for (const content of contents) packer.save('data', content);
    packer.flush();
    const plaintexts = packs.flatMap((pack) => decode(pack).map(({ plaintext }) => plaintext));
    expect(plaintexts.map(sha256Id)).toEqual(contents.map(sha256Id));
  });

  test('is finished once it is large enough, and not much larger', () => {
    const { packer, packs } = collect({ packSize: 2 * MiB });
    for (let blob = 0; blob < 40; blob += 1) packer.save('data', noise(300_000));
    packer.flush();
    for (const { bytes } of packs.slice(0, -1)) {
      expect(bytes.length).toBeGreaterThanOrEqual(2 * MiB);
      expect(bytes.length).toBeLessThan(2 * MiB + 400_000);
    }
  });

  test('holds tiny blobs by the ten thousand', () => {
    const { packer, packs } = collect();
    const count = 30_000;
    for (let number = 0; number < count; number += 1) packer.save('data', Buffer.from(String(number)));
    packer.flush();
    const plaintexts = packs.flatMap((pack) => decode(pack).map(({ plaintext }) => plaintext.toString()));
    expect(plaintexts).toEqual(Array.from({ length: count }, (_, number) => String(number)));
  });

  test('never has more blobs than its header may name', { timeout: 60_000 }, () => {
    const { packer, packs } = collect({ packSize: 128 * MiB, version: 1 });
    for (let number = 0; number <= MOST_BLOBS; number += 1) packer.save('data', Buffer.from(String(number)));
    packer.flush();
    expect(packs.map(({ layout }) => layout.length / 4)).toEqual([MOST_BLOBS, 1]);
    expect(headerLengthOf(packs[0]!.bytes.subarray(-TRAILER_LENGTH), packs[0]!.bytes.length)).toBeGreaterThan(
      0,
    );
  });

  test('of version 1 compresses nothing', () => {
    const { packer, packs } = collect({ version: 1, compression: 'max' });
    packer.save('data', text(50_000, 1));
    packer.save('tree', text(50_000, 2));
    packer.flush();
    for (const pack of packs)
      expect(decode(pack).map(({ blob }) => [blob.uncompressedLength, blob.length])).toEqual([[0, 50_032]]);
  });
});
