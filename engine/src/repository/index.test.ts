import { describe, expect, test } from 'vitest';
import { openMemory } from '../backend/memory/memory.ts';
import { encodeIndexFile } from '../format/index-file.ts';
import type { IndexedPack } from '../format/types.ts';
import { systemClock as clock } from '../kernel/clock.ts';
import { sha256Id } from '../kernel/hash.ts';
import type { Index } from './index.ts';
import { loadIndex } from './index-load/load-index.ts';
import { createRepository } from './open.ts';
import type { Repository } from './repository.ts';

const kdf = { N: 2, r: 1, p: 1 };

async function emptyRepository(): Promise<Repository> {
  return await createRepository(openMemory(), 'pw', { clock, kdf });
}

const idOf = (text: string) => sha256Id(Buffer.from(text));

function packOf(
  name: string,
  blobs: readonly (readonly [type: 'data' | 'tree', name: string])[],
): IndexedPack {
  return {
    id: idOf(name),
    blobs: blobs.map(([type, blob], position) => ({
      type,
      id: idOf(blob),
      offset: position * 100,
      length: 100,
      uncompressedLength: position % 2 === 0 ? 0 : 250,
    })),
  };
}

async function indexOf(...files: IndexedPack[][]): Promise<Index> {
  const repository = await emptyRepository();
  for (const packs of files) await repository.saveFile('index', encodeIndexFile(packs));
  return await loadIndex(repository);
}

describe('the index', () => {
  test('of an empty repository knows nothing', async () => {
    const index = await indexOf();
    expect([index.has('data', idOf('a')), index.lookupAll('data', idOf('a')), index.packs]).toEqual([
      false,
      [],
      [],
    ]);
  });

  test('says where each blob lies and how long its plaintext is', async () => {
    const index = await indexOf(
      [
        packOf('p', [
          ['data', 'a'],
          ['data', 'b'],
        ]),
      ],
      [packOf('q', [['tree', 'a']])],
    );
    expect(index.lookup('data', idOf('b'))).toEqual({
      pack: idOf('p'),
      offset: 100,
      length: 100,
      uncompressedLength: 250,
    });
    expect(index.lookup('tree', idOf('a'))).toMatchObject({ pack: idOf('q') });
    expect(index.lookup('tree', idOf('b'))).toBeUndefined();
    expect([
      index.lengthOf('data', idOf('a')),
      index.lengthOf('data', idOf('b')),
      index.lengthOf('data', idOf('c')),
    ]).toEqual([68, 250, undefined]);
    expect(new Set(index.packs)).toEqual(new Set([idOf('p'), idOf('q')]));
    expect(index.files.size).toBe(2);
  });

  test('knows every place of a blob that is stored more than once, and each place once', async () => {
    const twice = packOf('p', [
      ['data', 'a'],
      ['data', 'a'],
    ]);
    const index = await indexOf(
      [twice],
      [
        twice,
        packOf('q', [
          ['data', 'b'],
          ['data', 'a'],
        ]),
      ],
    );
    const places = index.lookupAll('data', idOf('a')).map(({ pack, offset }) => `${pack} ${offset}`);
    expect(new Set(places)).toEqual(new Set([`${idOf('p')} 0`, `${idOf('p')} 100`, `${idOf('q')} 100`]));
    expect(index.lookup('data', idOf('a'))).toEqual(index.lookupAll('data', idOf('a'))[0]);
  });

  test('takes more blobs than its size estimate expected', async () => {
    const repository = await emptyRepository();
    const index = await loadIndex(repository);
    const count = 140_000; // beyond the table's first level
    const name = (number: number) => idOf(String(number));
    const blobs = Array.from({ length: count }, (_, number) => ({
      type: 'data' as const,
      id: name(number),
      offset: number,
      length: 33,
      uncompressedLength: 0,
    }));
    index.addPack({ id: idOf('p'), blobs });
    for (let number = 0; number < count; number += 1) {
      if (index.lookup('data', name(number))?.offset !== number) throw new Error(`blob ${number} is lost`);
    }
  });

  test('a file that cannot be read fails it: guessing would lose data', async () => {
    const repository = await emptyRepository();
    await repository.backend.save({ type: 'index', name: idOf('x') }, Buffer.from('x'));
    await expect(loadIndex(repository)).rejects.toMatchObject({ code: 'repository.damaged' });
  });
});
