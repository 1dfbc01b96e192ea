import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256Id } from '../../kernel/hash.ts';
import { describeBackend, noise } from '../../testing/backend-suite.ts';
import { virtualClock } from '../../testing/clock.ts';
import type { Backend, FileType, Handle } from '../backend.ts';
import { type MemoryFiles, openMemory } from '../memory/memory.ts';
import { cache } from './cache.ts';
import { meter } from './meter.ts';

const DAY = 24 * 60 * 60_000;
const repositoryId = sha256Id(Buffer.from('a repository'));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cache-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function cached(inner: Backend, options: { capacity?: number; now?: number } = {}): Backend {
  const { now = 1e12, ...rest } = options;
  return cache(inner, { clock: virtualClock(now), directory, repositoryId, ...rest });
}

function place(type: FileType, name?: string): string {
  return join(directory, repositoryId, type, ...(name === undefined ? [] : [name]));
}

async function saved(backend: Backend, type: FileType, seed: number, more: Partial<Handle> = {}) {
  const data = noise(1000, seed);
  const handle: Handle = { type, name: sha256Id(data), ...more };
  await backend.save(handle, data);
  return { handle, data };
}

describeBackend('memory behind a cache', async () => {
  const files: MemoryFiles = new Map();
  return {
    backend: cached(openMemory({ files })),
    reopen: async () => cached(openMemory({ files })),
    addStrangers: async () => void files.set('data/ab/README', noise(3)),
  };
});

describe('a cache', () => {
  test.each(['index', 'snapshot'] as const)(
    'asks for an %s file once, also in the next run',
    async (type) => {
      const memory = openMemory();
      const { handle, data } = await saved(memory, type, 1);
      const metered = meter(memory);
      expect(await cached(metered).load(handle)).toEqual(data);
      expect(await cached(metered).load(handle)).toEqual(data);
      expect(metered.reading().load[type].calls).toBe(1);
    },
  );

  test('never asks for what it saw being saved', async () => {
    const metered = meter(openMemory());
    const { handle, data } = await saved(cached(metered), 'index', 1);
    expect(await cached(metered).load(handle)).toEqual(data);
    expect(metered.reading().load.index.calls).toBe(0);
  });

  test('keeps packs of trees, no others, and nothing that has a secret of its own or changes', async () => {
    const backend = cached(openMemory());
    const trees = await saved(backend, 'pack', 1, { metadata: true });
    await saved(backend, 'pack', 2);
    await saved(backend, 'pack', 3, { metadata: false });
    await saved(backend, 'key', 4);
    await saved(backend, 'lock', 5);
    expect(readdirSync(join(directory, repositoryId))).toEqual(['pack']);
    expect(readdirSync(place('pack'))).toEqual([trees.handle.name]);
  });

  test.each([
    ['a flipped bit', (bytes: Uint8Array) => bytes.map((byte, at) => (at === 500 ? byte ^ 1 : byte))],
    ['a lost end', (bytes: Uint8Array) => bytes.slice(0, 999)],
    ['nothing left', () => new Uint8Array(0)],
  ])('a copy with %s is thrown away and loaded again', async (_, damage) => {
    const backend = cached(openMemory());
    const { handle, data } = await saved(backend, 'index', 1);
    writeFileSync(place('index', handle.name), damage(data));
    expect(await backend.load(handle)).toEqual(data);
    expect(statSync(place('index', handle.name)).size).toBe(1000);
  });

  test('what the repository gives damaged is handed on as it is, and never kept', async () => {
    const memory = openMemory();
    const handle: Handle = { type: 'index', name: sha256Id(noise(1000)) };
    await memory.save(handle, noise(1000, 7));
    expect(await cached(memory).load(handle)).toEqual(noise(1000, 7));
    expect(() => readdirSync(place('index'))).toThrow('ENOENT');
  });

  test('copies of what others have removed go with the next complete list, and not with half of one', async () => {
    const memory = openMemory();
    const backend = cached(memory);
    const kept = await saved(backend, 'snapshot', 1);
    const gone = await saved(backend, 'snapshot', 2);
    await memory.remove(gone.handle);
    for await (const _ of backend.list('snapshot')) break;
    expect(readdirSync(place('snapshot'))).toHaveLength(2);
    await Array.fromAsync(backend.list('snapshot'));
    expect(readdirSync(place('snapshot'))).toEqual([kept.handle.name]);
  });

  test('what it removes is found nowhere any more', async () => {
    const backend = cached(openMemory());
    const { handle } = await saved(backend, 'snapshot', 1);
    await backend.remove(handle);
    await expect(backend.load(handle)).rejects.toMatchObject({ code: 'backend.not-found' });
  });

  test('of more than it may hold, what was used last stays', async () => {
    const memory = openMemory();
    const names: string[] = [];
    for (let seed = 0; seed < 10; seed += 1) {
      const day = cached(memory, { now: 1e12 + seed * DAY });
      names.push((await saved(day, 'index', seed)).handle.name);
    }
    await cached(memory, { now: 1e12 + 20 * DAY }).load({ type: 'index', name: names[0] as string });
    const small = cached(memory, { now: 1e12 + 21 * DAY, capacity: 5000 });
    const last = await saved(small, 'index', 99);
    await small.close();
    const left = [names[0], names[8], names[9], last.handle.name];
    expect(readdirSync(place('index')).sort()).toEqual(left.sort());
  });

  test('what killed processes left goes after an hour', async () => {
    const backend = cached(openMemory());
    await saved(backend, 'index', 1);
    const old = join(place('index'), 'killed.1-1.tmp');
    const fresh = join(place('index'), 'busy.2-1.tmp');
    for (const path of [old, fresh]) writeFileSync(path, 'half');
    utimesSync(old, 1e9 - 3601, 1e9 - 3601);
    utimesSync(fresh, 1e9, 1e9);
    await backend.close();
    expect(readdirSync(place('index'))).not.toContain('killed.1-1.tmp');
    expect(readdirSync(place('index'))).toContain('busy.2-1.tmp');
  });

  test('caches of repositories that nobody used for 30 days go; strangers stay', async () => {
    const make = (name: string, age: number, scanAge: number) => {
      mkdirSync(join(directory, name, 'scan'), { recursive: true });
      for (const [path, days] of [['scan', scanAge] as const, ['', age] as const]) {
        const seconds = (1e12 - days * DAY) / 1000;
        utimesSync(join(directory, name, path), seconds, seconds);
      }
      return name;
    };
    const used = make(sha256Id(Buffer.from('used')), 29, 100);
    const scanned = make(sha256Id(Buffer.from('scanned')), 100, 29);
    const stranger = make('photographs', 100, 100);
    make(sha256Id(Buffer.from('idle')), 31, 31);
    cached(openMemory());
    const left = readdirSync(directory).filter((name) => name !== 'CACHEDIR.TAG');
    expect(left.sort()).toEqual([repositoryId, used, scanned, stranger].sort());
  });

  test('is nobody else’s to look into', async () => {
    await saved(cached(openMemory()), 'index', 1);
    expect(statSync(join(directory, repositoryId)).mode & 0o777).toBe(0o700);
    expect(statSync(place('index')).mode & 0o777).toBe(0o700);
  });

  test('a directory that cannot be written to costs time and nothing else', async () => {
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'a file');
    const backend = cached(openMemory());
    const { handle, data } = await saved(backend, 'index', 1);
    expect(await backend.load(handle)).toEqual(data);
    expect(await Array.fromAsync(backend.list('index'))).toHaveLength(1);
    await backend.close();
  });
});
