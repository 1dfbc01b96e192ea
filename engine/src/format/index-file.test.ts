import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../kernel/failure.ts';
import type { Id } from '../kernel/id.ts';
import { decodeIndexFile, encodeIndexFile } from './index-file.ts';
import type { IndexedPack } from './types.ts';

const one = 'a1'.repeat(32) as Id;
const two = 'b2'.repeat(32) as Id;
const pack: IndexedPack = {
  id: one,
  blobs: [
    { type: 'data', id: two, offset: 0, length: 40, uncompressedLength: 0 },
    { type: 'tree', id: one, offset: 40, length: 50, uncompressedLength: 300 },
  ],
};

describe('an index file', () => {
  test('is written as restic writes it', () => {
    expect(encodeIndexFile([pack]).toString()).toBe(
      `{"packs":[{"id":"${one}","blobs":[` +
        `{"id":"${two}","type":"data","offset":0,"length":40},` +
        `{"id":"${one}","type":"tree","offset":40,"length":50,"uncompressed_length":300}]}]}\n`,
    );
  });

  test('comes back as it was written, marked packs with their time', () => {
    const marked = { ...pack, time: '2026-11-21T12:00:00+07:00' };
    expect(decodeIndexFile(encodeIndexFile([pack], [marked]))).toEqual({
      packs: [pack],
      packsToDelete: [marked],
      supersedes: [],
    });
  });

  test('of old restic tells which index files it replaces', () => {
    expect(decodeIndexFile(Buffer.from(`{"supersedes":["${one}"],"packs":[]}`)).supersedes).toEqual([one]);
  });

  test('may lack its lists, as Go reads them', () => {
    expect(decodeIndexFile(Buffer.from('{"packs":null}'))).toEqual({
      packs: [],
      packsToDelete: [],
      supersedes: [],
    });
  });

  test.each([
    ['no JSON', 'x'],
    ['a list', '[]'],
    ['packs that are no list', '{"packs":{}}'],
    ['a pack that is no object', '{"packs":[1]}'],
    ['a pack without an id', '{"packs":[{"blobs":[]}]}'],
    ['an id in capitals', `{"packs":[{"id":"${'A1'.repeat(32)}"}]}`],
    ['a blob that is null', `{"packs":[{"id":"${one}","blobs":[null]}]}`],
    ['a type that does not exist', blobWith('"type":"file","offset":0,"length":40')],
    ['a negative offset', blobWith('"type":"data","offset":-1,"length":40')],
    ['an offset that is no number', blobWith('"type":"data","offset":"0","length":40')],
    ['a length that leaves no room for the seal', blobWith('"type":"data","offset":0,"length":31')],
    ['a length beyond 32 bits', blobWith('"type":"data","offset":0,"length":4294967296')],
    ['half a byte', blobWith('"type":"data","offset":0.5,"length":40')],
  ])('with %s is damage', (_, json) => {
    expect(() => decodeIndexFile(Buffer.from(json))).toThrow(
      expect.objectContaining({ code: 'repository.damaged' }),
    );
  });

  test('of garbage is told, never a crash', () => {
    const garbage = fc.oneof(
      fc.json().map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(`{"packs":[{"id":"${one}","blobs":[${text}]}]}`)),
      fc.uint8Array({ maxLength: 100 }),
    );
    fc.assert(
      fc.property(garbage, (bytes) => {
        try {
          decodeIndexFile(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});

function blobWith(fields: string): string {
  return `{"packs":[{"id":"${one}","blobs":[{"id":"${two}",${fields}}]}]}`;
}
