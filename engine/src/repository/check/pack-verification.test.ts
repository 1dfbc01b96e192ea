import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { openCompressor } from '../../format/compressor.ts';
import { Sealer } from '../../format/sealing.ts';
import type { PackedBlob } from '../../format/types.ts';
import { sha256Id } from '../../kernel/hash.ts';
import type { Id } from '../../kernel/id.ts';
import { noise } from '../../testing/backend-suite.ts';
import { cutOff, flipBit, SmallRepository } from '../../testing/small-repository.ts';
import { PackContents } from '../pack-contents.ts';
import { type BlobOpeners, verifyPack } from './pack-verification.ts';

let openers: BlobOpeners;
let name: Id;
let bytes: Uint8Array;
let blobs: PackedBlob[];

beforeAll(async () => {
  const small = await SmallRepository.create();
  await small.backup({ text: 'words '.repeat(400), noise: noise(900) }, '2026-01-01T00:00:00Z');
  const { index } = await small.repository.loadIndex();
  const contents = PackContents.of(index);
  const number = index.packs.findIndex((_, pack) => contents.blobsOf(pack)[0]?.type === 'data');
  name = index.packs[number] as Id;
  bytes = await small.repository.backend.load({ type: 'pack', name });
  blobs = contents.blobsOf(number);
  openers = { sealer: new Sealer(small.repository.key), compressor: openCompressor() };
});

function isSound(content: Uint8Array, of: Id = name): boolean {
  const verdict = verifyPack(of, content, blobs, openers);
  return !verdict.renamed && verdict.header === undefined && verdict.damaged.length === 0;
}

describe('a pack', () => {
  test('that is as it was written is sound', () => {
    expect(blobs.map(({ uncompressedLength }) => uncompressedLength > 0)).toEqual([true, false]);
    expect(isSound(bytes)).toBe(true);
  });

  test('in which any one bit is wrong is not, even if its name were right for that', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const changed = bytes.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte));
        expect(isSound(changed)).toBe(false);
        expect(isSound(changed, sha256Id(changed))).toBe(false);
      }),
    );
  });

  test('that is cut off anywhere is not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: bytes.length }), (cut) => {
        expect(isSound(cutOff(cut)(bytes))).toBe(false);
      }),
    );
  });

  test('says which blob is damaged', () => {
    const verdict = verifyPack(name, flipBit((blobs[1]?.offset ?? 0) + 20)(bytes), blobs, openers);
    expect(verdict).toEqual({
      renamed: true,
      damaged: [{ blob: blobs[1], why: 'does not match its authentication code' }],
    });
  });

  test('whose blobs are authentic but not what the index calls them is not sound', () => {
    const [text, random] = blobs as [PackedBlob, PackedBlob];
    const swapped = [
      { ...text, id: random.id },
      { ...random, id: text.id },
    ];
    const verdict = verifyPack(name, bytes, swapped, openers);
    expect(verdict.damaged.map(({ why }) => why)).toEqual([
      'does not have the content that its id says',
      'does not have the content that its id says',
    ]);
    expect(verdict.header).toContain('disagree about blob 1');
  });

  test('whose index names a wrong length before compression is not sound', () => {
    const [text, random] = blobs as [PackedBlob, PackedBlob];
    const verdict = verifyPack(name, bytes, [{ ...text, uncompressedLength: 7 }, random], openers);
    expect(verdict.damaged.map(({ why }) => why)).toEqual(['cannot be decompressed']);
  });
});
