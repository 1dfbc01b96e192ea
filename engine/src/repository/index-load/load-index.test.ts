import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openMemory } from '../../backend/memory/memory.ts';
import { meter } from '../../backend/wrap/meter.ts';
import { encodeIndexFile, type MarkedPack } from '../../format/index-file.ts';
import type { IndexedPack } from '../../format/types.ts';
import { systemClock as clock } from '../../kernel/clock.ts';
import { sha256Id } from '../../kernel/hash.ts';
import type { Index } from '../index.ts';
import { createRepository } from '../open.ts';
import { PackContents } from '../pack-contents.ts';
import { Repository } from '../repository.ts';
import { IndexCrew } from './index-crew.ts';
import { loadIndex } from './load-index.ts';

const kdf = { N: 2, r: 1, p: 1 };
const idOf = (text: string) => sha256Id(Buffer.from(text));

let directory: string;
let keys: Repository;
let crew: IndexCrew;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'index-table-'));
  keys = await createRepository(openMemory(), 'pw', { clock, kdf });
  crew = new IndexCrew(keys.key);
});
afterAll(async () => {
  await crew[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

/** Of a few packs and blobs, so that both come up again and again. */
const blob = fc
  .record({
    type: fc.constantFrom('data' as const, 'tree' as const),
    id: fc.nat(12).map((number) => idOf(`blob ${number}`)),
    offset: fc.nat(3),
  })
  .map((place) => ({ ...place, length: 100, uncompressedLength: place.offset % 2 === 0 ? 0 : 200 }));
const pack: fc.Arbitrary<IndexedPack> = fc.record({
  id: fc.nat(6).map((number) => idOf(`pack ${number}`)),
  blobs: fc.array(blob, { maxLength: 4 }),
});
const mark: fc.Arbitrary<MarkedPack> = fc
  .tuple(pack, fc.nat(9))
  .map(([marked, hour]) => ({ ...marked, time: `2026-01-01T0${hour}:00:00Z` }));

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ add: fc.tuple(fc.array(pack), fc.array(mark, { maxLength: 2 })) }) },
  { weight: 1, arbitrary: fc.record({ remove: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ damage: fc.nat() }) },
  { weight: 3, arbitrary: fc.constant({ look: true }) },
);

class Scene {
  readonly repository: Repository;
  readonly names: string[] = [];
  readonly cache = { directory: mkdtempSync(join(directory, 'cache-')), clock };
  readonly #metered: ReturnType<typeof meter>;

  constructor() {
    this.#metered = meter(openMemory());
    this.repository = keys.behind(() => this.#metered);
  }

  async add(packs: readonly IndexedPack[], marks: readonly MarkedPack[] = []): Promise<void> {
    this.names.push(await this.repository.saveFile('index', encodeIndexFile(packs, marks)));
  }

  async remove(position: number): Promise<void> {
    const [name] = this.names.splice(position, 1);
    if (name !== undefined) await this.repository.backend.remove({ type: 'index', name });
  }

  get path(): string {
    return join(this.cache.directory, this.repository.config.id, 'index-table');
  }

  /** As a large repository's is loaded, by threads and with the cache; answers how many index files were read as well. */
  async load(): Promise<{ index: Index; read: number }> {
    const before = this.#loads();
    const index = await loadIndex(this.repository, { cache: this.cache, largeFrom: 0, crew });
    return { index, read: this.#loads() - before };
  }

  #loads(): number {
    return this.#metered.reading().load?.index?.calls ?? 0;
  }
}

/** What an index says, whatever the order was in which its files were read. */
function sayings(index: Index): unknown {
  const { table } = index;
  const contents = PackContents.of(index);
  const blobs = new Map<string, unknown>();
  for (let entry = 0; entry < table.size; entry += 1) {
    if (table.packOf(entry) < 0) continue;
    const [type, id] = [table.typeOf(entry), table.idOf(entry)];
    const places = index.lookupAll(type, id).map(({ pack, offset }) => `${pack} ${offset}`);
    blobs.set(`${type} ${id}`, [new Set(places).size === places.length, new Set(places)]);
  }
  return {
    blobs,
    sizes: new Map(index.packs.map((id, number) => [id, contents.sizeOf(number)])),
    marked: new Map(index.marked().map(({ id, time }) => [id, time])),
    files: new Set(index.files),
    contents: index.contents(),
  };
}

describe('an index that is kept on this machine', () => {
  test('says what the files say, whatever was added, removed or damaged meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const scene = new Scene();
        for (const one of [...steps, { look: true }]) {
          if ('add' in one) await scene.add(...one.add);
          else if ('remove' in one) await scene.remove(one.remove % (scene.names.length + 1));
          else if ('damage' in one) flip(scene.path, one.damage);
          else {
            const { index } = await scene.load();
            expect(sayings(index)).toEqual(sayings(await loadIndex(scene.repository)));
          }
        }
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  test('is read instead of the files, and those that are new on top of it', async () => {
    const scene = new Scene();
    await scene.add(packOf('p', 3000));
    expect((await scene.load()).read).toBe(1);
    expect((await scene.load()).read).toBe(0);
    await scene.add(packOf('q', 3));
    expect((await scene.load()).read).toBe(1);
    const { index, read } = await scene.load();
    expect(read).toBe(1);
    expect([index.has('data', idOf('p 1')), index.has('data', idOf('q 1'))]).toEqual([true, true]);
  });

  test('is written anew once much is not in it', async () => {
    const scene = new Scene();
    await scene.add(packOf('p', 30));
    await scene.load();
    await scene.add(packOf('q', 30));
    expect((await scene.load()).read).toBe(1);
    expect((await scene.load()).read).toBe(0);
  });

  test('counts no more when an index file is gone that it was made from', async () => {
    const scene = new Scene();
    await scene.add(packOf('p', 3));
    await scene.add(packOf('q', 3));
    await scene.load();
    await scene.remove(0);
    const { index } = await scene.load();
    expect([index.has('data', idOf('p 1')), index.has('data', idOf('q 1'))]).toEqual([false, true]);
  });

  test('is for its user and its key alone', async () => {
    const scene = new Scene();
    await scene.add(packOf('p', 3));
    await scene.load();
    expect(statSync(scene.path).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(scene.path);
    expect(bytes.includes(Buffer.from(idOf('p 1'), 'hex'))).toBe(false);
    expect(bytes.includes(scene.names[0] ?? '')).toBe(false);

    const { backend, config, keyId } = scene.repository;
    const other = await createRepository(openMemory(), 'pw', { clock, kdf });
    const stranger = new Repository({ backend, config, keyId, key: other.key });
    const loading = loadIndex(stranger, { cache: scene.cache, largeFrom: 0 });
    await expect(loading).rejects.toMatchObject({ code: 'repository.damaged' });
  });

  test('leaves nothing half written behind', async () => {
    const scene = new Scene();
    await scene.add(packOf('p', 3));
    await scene.load();
    expect(readdirSync(join(scene.path, '..'))).toEqual(['index-table']);
  });

  test('of an earlier time, a piece cannot stand in for a later one', async () => {
    const scene = new Scene();
    await scene.add(packOf('p', 3));
    await scene.load();
    const early = readFileSync(scene.path);
    await scene.add(packOf('q', 3));
    await scene.load();
    const late = readFileSync(scene.path);
    late.set(early.subarray(0, 3 * 48 + 32));
    writeFileSync(scene.path, late);
    expect((await scene.load()).read).toBe(2);
  });

  test('takes in files that are unusual, as they are when it is read plainly', async () => {
    const scene = new Scene();
    await scene.add(packOf('p', 3));
    const unusual = Buffer.from(JSON.stringify({ packs: plain(packOf('q', 3)) }, undefined, 2));
    await scene.repository.saveFile('index', unusual);
    const { index } = await scene.load();
    expect(index.has('data', idOf('q 2'))).toBe(true);
    expect(sayings(index)).toEqual(sayings(await loadIndex(scene.repository)));
    expect(sayings((await scene.load()).index)).toEqual(sayings(index));
  });

  test('fails as without a cache when an index file is damaged', async () => {
    const scene = new Scene();
    await scene.add(packOf('p', 3));
    await scene.load();
    await scene.repository.backend.save({ type: 'index', name: idOf('x') }, Buffer.from('x'));
    await expect(scene.load()).rejects.toMatchObject({ code: 'repository.damaged' });
  });

  test('may be given up at any moment', async () => {
    const scene = new Scene();
    await scene.add(packOf('p', 3));
    const reason = new Error('enough');
    const options = { cache: scene.cache, largeFrom: 0, signal: AbortSignal.abort(reason) };
    await expect(loadIndex(scene.repository, options)).rejects.toBe(reason);
  });
});

function packOf(name: string, count: number): IndexedPack[] {
  const blobs = Array.from({ length: count }, (_, number) => ({
    type: 'data' as const,
    id: idOf(`${name} ${number}`),
    offset: number * 100,
    length: 100,
    uncompressedLength: 0,
  }));
  return [{ id: idOf(name), blobs }];
}

/** As the fields are called in the file. */
function plain(packs: readonly IndexedPack[]): unknown {
  return packs.map(({ id, blobs }) => ({
    id,
    blobs: blobs.map(({ uncompressedLength, ...one }) => ({
      ...one,
      uncompressed_length: uncompressedLength,
    })),
  }));
}

/** Changes one bit of a file, if it is there. */
function flip(path: string, where: number): void {
  try {
    const bytes = readFileSync(path);
    const at = (where * 7919) % bytes.length;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  } catch {
    // Nothing was kept yet.
  }
}
