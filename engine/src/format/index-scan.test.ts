import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Id, idFromBytes } from '../kernel/id.ts';
import { decodeIndexFile, encodeIndexFile, type IndexFile } from './index-file.ts';
import { RECORD_PLACE, RECORD_TREE, RECORD_WORDS, type ScannedIndex, scanIndexFile } from './index-scan.ts';
import type { PackedBlob } from './types.ts';

const id = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as Id);
const u32 = fc.oneof(fc.nat(100), fc.integer({ min: 0, max: 0xffff_ffff }));
const blob = fc.record({
  type: fc.constantFrom('data' as const, 'tree' as const),
  id,
  offset: u32,
  length: u32.map((length) => Math.max(32, length)),
  uncompressedLength: u32,
});
const pack = fc.record({ id, blobs: fc.array(blob, { maxLength: 5 }) });
const marked = fc.record(
  { id, blobs: fc.array(blob, { maxLength: 2 }), time: fc.string(), size: fc.nat() },
  { requiredKeys: ['id', 'blobs'] },
);
const files = fc.tuple(fc.array(pack, { maxLength: 4 }), fc.array(marked, { maxLength: 2 }));

const one = 'a1'.repeat(32) as Id;

describe('an index file, scanned', () => {
  test('says what it says decoded', () => {
    fc.assert(
      fc.property(files, ([packs, marks]) => {
        const json = encodeIndexFile(packs, marks);
        const scanned = scanIndexFile(json);
        // A time that needs escapes is nothing that anybody writes.
        if (json.includes('\\') || JSON.stringify(marks).includes('packs')) return;
        expect(contentsOf(scanned)).toEqual(decodeIndexFile(json));
      }),
    );
  });

  test('changed anywhere, says what it says decoded, or leaves it to be decoded', () => {
    const inserted = fc.constantFrom(
      '',
      ' ',
      '0',
      '-',
      '.',
      ',',
      '{}',
      '"',
      ':1',
      'A',
      ']',
      '}',
      '\n',
      '1e3',
    );
    fc.assert(
      fc.property(files, fc.nat(), fc.nat(3), inserted, ([packs, marks], where, removed, text) => {
        const json = encodeIndexFile(packs, marks).toString();
        const at = where % json.length;
        const changed = Buffer.from(json.slice(0, at) + text + json.slice(at + removed));
        const scanned = scanIndexFile(changed);
        if (scanned !== undefined) expect(contentsOf(scanned)).toEqual(decodeIndexFile(changed));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['without the newline', `{"packs":[{"id":"${one}","blobs":[]}]}`],
    ['without packs', '{"packs":[]}\n'],
    ['with marked packs alone', `{"packs":[],"packs_to_delete":[{"id":"${one}","blobs":[],"size":7}]}\n`],
  ])('%s is of the usual form', (_, json) => {
    expect(contentsOf(scanIndexFile(Buffer.from(json)))).toEqual(decodeIndexFile(Buffer.from(json)));
  });

  test.each([
    ['null for a list', '{"packs":null}'],
    ['files that it replaces', `{"supersedes":["${one}"],"packs":[]}`],
    ['such files behind', `{"packs":[],"packs_to_delete":[],"supersedes":["${one}"]}`],
    ['its packs twice', `{"packs":[{"id":"${one}","blobs":[]}],"packs_to_delete":[],"packs":[]}`],
    [
      'its packs twice, in disguise',
      `{"packs":[{"id":"${one}","blobs":[]}],"packs_to_delete":[],"\\u0070acks":[]}`,
    ],
    ['fields that are new', '{"packs":[],"new":1}'],
    ['white space', '{"packs": []}'],
    ['something behind it', '{"packs":[]}\n\n'],
    ['damaged marks', '{"packs":[],"packs_to_delete":[1]}'],
    ['no content', ''],
  ])('with %s is left to the decoder', (_, json) => {
    expect(scanIndexFile(Buffer.from(json))).toBeUndefined();
  });
});

function contentsOf(scanned: ScannedIndex | undefined): IndexFile | undefined {
  if (scanned === undefined) return undefined;
  const { records, marks } = scanned;
  const packs: { id: Id; blobs: PackedBlob[] }[] = [];
  for (let at = 0; at < scanned.packs.length; at += 32)
    packs.push({ id: idFromBytes(scanned.packs, at), blobs: [] });
  for (let at = 0; at < records.length; at += RECORD_WORDS) {
    const [place = 0, offset = 0, length = 0, uncompressedLength = 0] = records.subarray(at + RECORD_PLACE);
    packs[place % RECORD_TREE]?.blobs.push({
      type: place >= RECORD_TREE ? 'tree' : 'data',
      id: idFromBytes(new Uint8Array(records.buffer, at * 4)),
      offset,
      length,
      uncompressedLength,
    });
  }
  const packsToDelete = marks === undefined ? [] : decodeIndexFile(marks).packsToDelete;
  return { packs, packsToDelete, supersedes: [] };
}
