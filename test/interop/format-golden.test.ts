import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeUnpacked, decompress } from '../../engine/src/format/compression.ts';
import { decodeConfig, encodeConfig } from '../../engine/src/format/config.ts';
import { decodeIndexFile, encodeIndexFile } from '../../engine/src/format/index-file.ts';
import { openKeyFile } from '../../engine/src/format/key-file.ts';
import { decodeHeader, encodeHeader, headerLengthOf, packLengthFor } from '../../engine/src/format/pack.ts';
import { Sealer } from '../../engine/src/format/sealing.ts';
import { decodeSnapshot, encodeSnapshot } from '../../engine/src/format/snapshot.ts';
import { decodeTree, duplicateNames, encodeTree, isSafeName } from '../../engine/src/format/tree.ts';
import type { PackedBlob } from '../../engine/src/format/types.ts';
import { sha256Id } from '../../engine/src/kernel/hash.ts';
import { type Id, isId } from '../../engine/src/kernel/id.ts';
import {
  GOLDEN_PASSWORD,
  GOLDEN_REPOSITORIES,
  type GoldenRepository,
  unpackGolden,
} from '../fixtures/golden/unpack.ts';

describe.each(GOLDEN_REPOSITORIES)('the golden repository %s', (name) => {
  const writtenByRestic = name !== 'ru011';
  let golden: GoldenRepository;
  let sealer: Sealer;

  beforeAll(async () => {
    golden = unpackGolden(name);
    const opened = await Promise.all(filesOf('keys').map((file) => openKeyFile(file.bytes, GOLDEN_PASSWORD)));
    const masterKey = opened.find((key) => key !== undefined);
    if (masterKey === undefined) {
      throw new Error('No key file opened with the golden password.');
    }
    sealer = new Sealer(masterKey);
  });

  afterAll(() => golden[Symbol.dispose]());

  test('has a config that comes out as it went in', () => {
    const json = sealer.open(readFileSync(join(golden.path, 'config')));
    const config = decodeConfig(json);
    expect(config.version).toBe(name.includes('v1') ? 1 : 2);
    if (writtenByRestic) {
      expect(encodeConfig(config).toString()).toBe(json.toString());
    }
  });

  test('names every file after its content', () => {
    for (const directory of ['keys', 'index', 'snapshots', 'data']) {
      for (const { id, bytes } of filesOf(directory)) {
        expect(sha256Id(bytes)).toBe(id);
      }
    }
  });

  test('has packs whose headers say what the index says, and encode to the same bytes', () => {
    const indexed = new Map(
      indexFiles()
        .flatMap(({ packs, packsToDelete }) => [...packs, ...packsToDelete])
        .map((pack) => [pack.id, pack.blobs]),
    );
    const packs = filesOf('data');
    expect(packs.length).toBeGreaterThanOrEqual(2);
    for (const { id, bytes } of packs) {
      const header = headerOf(bytes);
      const blobs = decodeHeader(header);
      expect(encodeHeader(blobs).equals(header)).toBe(true);
      expect(packLengthFor(blobs)).toBe(bytes.length);
      expect(byOffset(indexed.get(id) ?? [])).toEqual(blobs);
    }
  });

  test('holds blobs that hash to their ids', () => {
    for (const { blob, content } of blobsOf()) {
      expect(sha256Id(content)).toBe(blob.id);
    }
  });

  test('has index files that encode to the same bytes where restic wrote them', () => {
    for (const { bytes } of filesOf('index')) {
      const json = decodeUnpacked(sealer.open(bytes));
      const { packs, packsToDelete, supersedes } = decodeIndexFile(json);
      expect(supersedes).toEqual([]);
      const encoded = encodeIndexFile(packs, packsToDelete);
      expect(decodeIndexFile(encoded)).toEqual({ packs, packsToDelete, supersedes });
      if (writtenByRestic) {
        expect(encoded.toString()).toBe(json.toString());
      }
    }
  });

  test('tells the packs that were marked for deletion, which rustic alone does, with the time of that', () => {
    const marked = indexFiles().flatMap(({ packsToDelete }) => packsToDelete);
    expect(marked.length > 0).toBe(!writtenByRestic);
    for (const { time, blobs } of marked) {
      expect(time).toMatch(/^2026-/);
      expect(blobs.length).toBeGreaterThan(0);
    }
  });

  test('has snapshots that encode to the same bytes where restic wrote them', () => {
    for (const { bytes } of filesOf('snapshots')) {
      const json = decodeUnpacked(sealer.open(bytes));
      const snapshot = decodeSnapshot(json);
      expect(snapshot.hostname).toBe('golden');
      expect(decodeSnapshot(encodeSnapshot(snapshot))).toEqual(snapshot);
      if (writtenByRestic) {
        expect(encodeSnapshot(snapshot).toString()).toBe(json.toString());
      }
    }
  });

  // rustic orders the fields in another way, writes +00:00 for Z, and leaves the type out of a device's mode.
  test('has trees that encode to the same bytes where restic wrote them, and to the same nodes elsewhere', () => {
    const trees = blobsOf().filter(({ blob }) => blob.type === 'tree');
    expect(trees.length).toBeGreaterThan(3);
    for (const { content } of trees) {
      const { nodes } = decodeTree(content);
      expect(nodes.every((node) => isSafeName(node.name))).toBe(true);
      expect(duplicateNames(nodes)).toEqual([]);
      expect(decodeTree(encodeTree(nodes)).nodes).toEqual(nodes);
      if (writtenByRestic) {
        expect(encodeTree(nodes).toString()).toBe(content.toString());
      }
    }
  });

  function filesOf(directory: string): { id: Id; bytes: Buffer }[] {
    return readdirSync(join(golden.path, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        expect(isId(entry.name)).toBe(true);
        return { id: entry.name as Id, bytes: readFileSync(join(entry.parentPath, entry.name)) };
      });
  }

  function indexFiles() {
    return filesOf('index').map(({ bytes }) => decodeIndexFile(decodeUnpacked(sealer.open(bytes))));
  }

  function headerOf(pack: Buffer): Buffer {
    const length = headerLengthOf(pack.subarray(-4), pack.length);
    return sealer.open(pack.subarray(-4 - length, -4));
  }

  function blobsOf(): { blob: PackedBlob; content: Buffer }[] {
    return filesOf('data').flatMap(({ bytes }) =>
      decodeHeader(headerOf(bytes)).map((blob) => {
        const opened = sealer.open(bytes.subarray(blob.offset, blob.offset + blob.length));
        const content = blob.uncompressedLength === 0 ? opened : decompress(opened, blob.uncompressedLength);
        return { blob, content };
      }),
    );
  }
});

function byOffset(blobs: readonly PackedBlob[]): PackedBlob[] {
  return blobs.toSorted((a, b) => a.offset - b.offset);
}
