import { expect, test } from 'vitest';
import type { Backend } from '../backend/backend.ts';
import { openMemory } from '../backend/memory/memory.ts';
import { sha256Id } from '../kernel/hash.ts';
import type { Id } from '../kernel/id.ts';
import { farAway } from '../testing/far-away.ts';
import { fault, noise } from '../testing/index.ts';
import { PackCache } from './pack-cache.ts';

async function withPacks(
  count: number,
): Promise<{ backend: Backend; ids: Id[]; packs: Uint8Array[]; loads: Id[] }> {
  const inner = openMemory();
  const packs = Array.from({ length: count }, (_, position) => noise(1000 + position));
  const ids = packs.map(sha256Id);
  for (const [position, name] of ids.entries()) await inner.save({ type: 'pack', name }, packs[position]!);
  const loads: Id[] = [];
  const backend: Backend = {
    ...inner,
    load: (handle, range, signal) => {
      loads.push(handle.name as Id);
      return inner.load(handle, range, signal);
    },
  };
  return { backend, ids, packs, loads };
}

test('a pack is loaded once for all its blobs, also when they are asked for at the same time', async () => {
  const { backend, ids, packs, loads } = await withPacks(1);
  const cache = new PackCache(backend, 10_000);
  const parts = await Promise.all([0, 300, 999].map((offset) => cache.load(ids[0]!, offset, 1)));
  expect(parts.map((part) => part[0])).toEqual([0, 300, 999].map((offset) => packs[0]![offset]));
  expect(loads).toHaveLength(1);
});

test('the least recently used one is dropped first, and what was dropped is loaded again', async () => {
  const { backend, ids, loads } = await withPacks(3);
  const cache = new PackCache(backend, 2500);
  for (const position of [0, 1, 0, 2, 0, 1]) await cache.load(ids[position]!, 0, 10);
  expect(loads).toEqual([ids[0], ids[1], ids[2], ids[1]]);
});

test('it goes on holding packs after many were loaded at once', async () => {
  const { backend, ids, loads } = await withPacks(20);
  const cache = new PackCache(backend, 5000);
  for (let round = 0; round < 5; round += 1) await Promise.all(ids.map((id) => cache.load(id, 0, 10)));
  loads.length = 0;
  for (let round = 0; round < 3; round += 1) for (const id of ids.slice(0, 4)) await cache.load(id, 0, 10);
  expect(loads.length).toBeLessThanOrEqual(4);
});

test('what is expected is fetched ahead, some at a time, and once', async () => {
  const { backend, ids, loads } = await withPacks(10);
  const far = farAway(backend);
  const cache = new PackCache(far.backend, 100_000);
  cache.expect(ids);
  cache.expect(ids);
  for (const id of ids) await cache.load(id, 0, 10);
  expect(loads.slice().sort()).toEqual(ids.slice().sort());
  expect(far.most()).toBeGreaterThan(1);
  expect(far.most()).toBeLessThan(10);
});

test('what could not be fetched ahead is asked for again by whoever wants it', async () => {
  const { backend, ids } = await withPacks(1);
  const cache = new PackCache(fault(backend, [{ call: 'load', does: 'fail' }]), 10_000);
  cache.expect(ids);
  await new Promise((resolve) => setImmediate(resolve));
  expect(await cache.load(ids[0]!, 0, 10)).toHaveLength(10);
});

test('a load that failed is tried again by the next, and a pack that is too short says so', async () => {
  const { backend, ids } = await withPacks(1);
  const cache = new PackCache(fault(backend, [{ call: 'load', does: 'fail' }]), 10_000);
  await expect(cache.load(ids[0]!, 0, 10)).rejects.toMatchObject({ code: 'backend.io' });
  expect(await cache.load(ids[0]!, 0, 10)).toHaveLength(10);
  await expect(cache.load(ids[0]!, 995, 10)).rejects.toMatchObject({ code: 'backend.short-read' });
});
