import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createChunker } from '../../chunker/gear.ts';
import { encodeTree } from '../../format/tree.ts';
import type { StoredSnapshot } from '../../format/types.ts';
import { sha256Id } from '../../kernel/hash.ts';
import type { Id } from '../../kernel/id.ts';
import { noise } from '../../testing/backend-suite.ts';
import { node, patientClock, SmallRepository } from '../../testing/small-repository.ts';
import { knownPlaces, originalFiles } from './original-files.ts';
import { originalPlaces } from './original-places.ts';
import { repairRepository } from './repair.ts';

const MiB = 1024 * 1024;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-originals-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A repository that has one file, `pieces` long each, of which all data are lost with their packs. */
async function lostFile(content: Uint8Array, lengths: readonly number[]): Promise<SmallRepository> {
  return await lostFileIn(await SmallRepository.create(), content, lengths);
}

async function lostFileIn(
  small: SmallRepository,
  content: Uint8Array,
  lengths: readonly number[],
): Promise<SmallRepository> {
  const writer = await small.writer({ packSize: 1 });
  let at = 0;
  const ids = lengths.map((length) => {
    at += length;
    return writer.save('data', content.subarray(at - length, at));
  });
  const file = node('file', { size: content.length, content: ids });
  const tree = writer.save('tree', encodeTree([file]));
  await writer.finish();
  await small.repository.saveSnapshot({
    ...(await small.saveSnapshot(tree, '2026-01-01T00:00:00Z')),
    paths: [join(directory, 'file')],
  });
  const { index } = await small.repository.loadIndex();
  for (const id of new Set(ids)) {
    const name = index.lookup('data', id)?.pack ?? '';
    await small.repository.backend.remove({ type: 'pack', name });
  }
  return small;
}

async function repair({ repository }: SmallRepository, below?: string) {
  const blobs = { readData: false, sources: [originalFiles(below)] };
  const { plan, refused } = await repairRepository(repository, {
    clock: patientClock,
    threads: 1,
    approve: () => true,
    blobs,
  });
  return { wanted: plan.blobs?.wanted, lost: plan.blobs?.lost.length, refused };
}

/** The lengths of the pieces that a backup would cut. */
function cuts(content: Uint8Array, polynomial: string): number[] {
  const chunker = createChunker(polynomial);
  chunker.memory.set(content);
  const lengths: number[] = [];
  for (let at = 0; at < content.length; ) {
    const end = chunker.cut(at, content.length, true);
    lengths.push(end - at);
    at = end;
  }
  return lengths;
}

describe('the original files', () => {
  test('give back what was lost, whoever cut them, while the index tells how long the pieces were', async () => {
    const content = noise(90_000, 7);
    writeFileSync(join(directory, 'file'), content);
    const small = await lostFile(content, [10_000, 30_000, 50_000]);
    expect(await repair(small)).toEqual({ wanted: 3, lost: 0, refused: 0 });
  });

  test('are found in another directory when that is named', async () => {
    const content = noise(90_000, 7);
    mkdirSync(join(directory, 'elsewhere'));
    writeFileSync(join(directory, 'elsewhere', 'file'), content);
    const small = await lostFile(content, [40_000, 50_000]);
    expect(await repair(small, join(directory, 'elsewhere'))).toEqual({ wanted: 2, lost: 0, refused: 0 });
  });

  test('give back what is still in them after they grew at their beginning', async () => {
    const small = await SmallRepository.create();
    const content = noise(6 * MiB, 9);
    const { chunkerPolynomial } = small.repository.config;
    const lengths = cuts(content, chunkerPolynomial);
    const lost = await lostFileIn(small, content, lengths);
    writeFileSync(join(directory, 'file'), Buffer.concat([noise(1000, 1), content]));
    const told = await repair(lost);
    expect(told.wanted).toBe(lengths.length);
    // The first piece, which has another beginning now, and perhaps the cut behind it.
    expect(told.lost).toBeLessThan(lengths.length);
  });

  test('give nothing that is not what was saved', async () => {
    const content = noise(90_000, 7);
    const changed = Uint8Array.from(content);
    changed[45_000] = (changed[45_000] ?? 0) ^ 1;
    writeFileSync(join(directory, 'file'), changed);
    const small = await lostFile(content, [40_000, 50_000]);
    expect(await repair(small)).toEqual({ wanted: 2, lost: 1, refused: 0 });
    expect(readFileSync(join(directory, 'file')).equals(changed)).toBe(true);
  });

  test('that are gone, or are no files any more, give nothing', async () => {
    const content = noise(1_000, 7);
    const small = await lostFile(content, [1_000]);
    expect(await repair(small)).toEqual({ wanted: 1, lost: 1, refused: 0 });
    mkdirSync(join(directory, 'file'));
    expect(await repair(small)).toEqual({ wanted: 1, lost: 1, refused: 0 });
  });
});

describe('the place of a piece in its file', () => {
  const [a, b, c, d] = [1, 2, 3, 4].map((seed) => sha256Id(noise(10, seed))) as [Id, Id, Id, Id];
  const places = (known: Partial<Record<Id, number>>) =>
    knownPlaces({ content: [a, b, c, d], size: 100 }, (id) => known[id]).map(({ id, offset, length }) => [
      [a, b, c, d].indexOf(id),
      offset,
      length,
    ]);

  test('is told by the lengths of the others, from both ends', () => {
    expect(places({ [a]: 10, [b]: 20, [c]: 30, [d]: 40 })).toHaveLength(4);
    expect(places({ [a]: 10, [c]: 30, [d]: 40 })).toContainEqual([1, 10, 20]);
    expect(places({ [a]: 10, [d]: 40 })).toEqual([
      [0, 0, 10],
      [3, 60, 40],
    ]);
    expect(places({})).toEqual([]);
  });
});

describe('the places where an original may lie', () => {
  const told = (paths: string[], name: string, below?: string) => {
    const snapshot = { paths } as unknown as StoredSnapshot;
    const names = name.split('/').map((part) => Buffer.from(part));
    return originalPlaces({ snapshot, names }, below).map(String);
  };

  test('are those that the snapshot was made of', () => {
    expect(told(['/home/ann'], 'home/ann/letter')).toEqual(['/home/ann/letter']);
    expect(told(['/home/ann'], 'ann/letter')).toEqual(['/ann/letter', '/home/ann/letter']);
    expect(told(['/home/ann/notes'], 'ann/notes/letter')).toContain('/home/ann/notes/letter');
  });

  test('are below the directory that is named, with as much of the path as is there', () => {
    expect(told(['/home/ann'], 'home/ann/letter', '/mnt/')).toEqual([
      '/mnt/home/ann/letter',
      '/mnt/letter',
      '/mnt/ann/letter',
    ]);
  });
});
