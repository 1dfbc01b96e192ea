import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Id } from '../kernel/id.ts';
import { BlobTable, type SharedBlobTable } from './blob-table.ts';

/** Entries that the first level takes: half its slots. */
const FIRST_LEVEL = 2 ** 17;

function idOf(text: string | number): Buffer {
  return createHash('sha256').update(String(text)).digest();
}

/** Of a data blob of 33 bytes. */
function recordOf(text: string, pack: number, offset: number): Uint32Array {
  const id = idOf(text);
  return Uint32Array.from([
    ...Array.from({ length: 8 }, (_, word) => id.readUInt32LE(word * 4)),
    pack,
    offset,
    33,
    0,
  ]);
}

describe('the blob table', () => {
  test('a blob is claimed once, then found under its type alone', () => {
    const table = BlobTable.create(0);
    const id = idOf('a');
    expect(table.find('data', id)).toBe(-1);
    const entry = table.claim('data', id);
    expect(table.claim('data', id)).toBe(-1);
    expect(table.find('data', id)).toBe(entry);
    expect(table.findId('data', id.toString('hex') as Id)).toBe(entry);
    expect(table.find('tree', id)).toBe(-1);
    const tree = table.claim('tree', id);
    expect(tree).not.toBe(entry);
    expect([table.typeOf(entry), table.typeOf(tree)]).toEqual(['data', 'tree']);
    expect([table.idOf(entry), table.idBytes(tree)]).toEqual([id.toString('hex'), id]);
  });

  test('a claimed blob has no pack until it is placed, and keeps its type then', () => {
    const table = BlobTable.create(0);
    for (const type of ['data', 'tree'] as const) {
      const entry = table.claim(type, idOf('a'));
      expect(table.packOf(entry)).toBe(-1);
      table.place(entry, 2 ** 31 - 2, 4_294_967_295, 7, 0);
      expect(table.packOf(entry)).toBe(2 ** 31 - 2);
      expect(table.offsetOf(entry)).toBe(4_294_967_295);
      expect([table.lengthOf(entry), table.uncompressedLengthOf(entry)]).toEqual([7, 0]);
      expect([table.typeOf(entry), table.find(type, idOf('a'))]).toEqual([type, entry]);
    }
  });

  test('ids that begin alike, and even all zeros, are told apart', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(3), fc.nat(3)), { maxLength: 40 }), (claims) => {
        const table = BlobTable.create(0);
        const model = new Map<string, number>();
        for (const [isTree, first, last] of claims) {
          const id = Buffer.alloc(32);
          id[0] = first;
          id[31] = last;
          const type = isTree ? 'tree' : 'data';
          const key = `${type} ${first} ${last}`;
          const known = model.get(key);
          expect(table.find(type, id)).toBe(known ?? -1);
          const claimed = table.claim(type, id);
          if (known === undefined) model.set(key, claimed);
          else expect(claimed).toBe(-1);
        }
        expect(new Set(model.values()).size).toBe(model.size);
      }),
    );
  });

  test('a blob that is added with its place is there at once, and a second place answers the first', () => {
    const table = BlobTable.create(0);
    expect(table.add(recordOf('a', 3, 100), 0)).toBe(-1);
    const entry = table.find('data', idOf('a'));
    expect([table.packOf(entry), table.offsetOf(entry)]).toEqual([3, 100]);
    expect(table.add(recordOf('a', 3, 100), 0)).toBe(-1);
    expect(table.add(recordOf('a', 4, 100), 0)).toBe(entry);
    expect(table.add(recordOf('a', 3, 200), 0)).toBe(entry);
    expect(table.claim('data', idOf('a'))).toBe(-1);
    expect(table.size).toBe(1);
  });

  test('what two threads add while a level changes is found to be double', () => {
    const table = BlobTable.create(0);
    const slots = new Int32Array(table.shared.slots);
    table.add(recordOf('a', 1, 0), 0);
    // One thread has taken its entry and not published it yet, while others fill the level.
    const slot = slots.findIndex((value) => value !== 0);
    slots[slot] = 0;
    for (let number = 1; number < FIRST_LEVEL; number += 1) table.claim('data', idOf(number));
    table.add(recordOf('a', 2, 0), 0);
    slots[slot] = 1;

    expect(table.doubles(0)).toEqual(new Map([[FIRST_LEVEL, 0]]));
    table.withdraw(FIRST_LEVEL);
    expect(table.packOf(FIRST_LEVEL)).toBe(-1);
    expect(table.packOf(table.find('data', idOf('a')))).toBe(1);
    expect(table.doubles(0).size).toBe(0);
  });

  test('it grows over its levels and forgets nothing', () => {
    const table = BlobTable.create(0);
    const count = FIRST_LEVEL * 3 + 1000; // into the third level
    const id = Buffer.alloc(32);
    for (let number = 0; number < count; number += 1) {
      id.writeUInt32LE(Math.imul(number, 0x9e3779b1) >>> 0, 0);
      id.writeUInt32LE(number, 4);
      if (table.claim('data', id) !== number) throw new Error(`blob ${number} got another entry`);
    }
    for (let number = 0; number < count; number += 1) {
      id.writeUInt32LE(Math.imul(number, 0x9e3779b1) >>> 0, 0);
      id.writeUInt32LE(number, 4);
      if (table.find('data', id) !== number) throw new Error(`blob ${number} is not found`);
    }
    expect(table.size).toBe(count);
  });

  test('a thread that meets a level before another has made its slots finds nothing there', () => {
    const table = BlobTable.create(0);
    const entry = table.claim('data', idOf('a'));
    // The very moment after another thread took the first entry of the second level.
    Atomics.store(new Int32Array(table.shared.counter), 0, FIRST_LEVEL + 1);
    expect(table.find('data', idOf('a'))).toBe(entry);
    expect(table.find('data', idOf('b'))).toBe(-1);
    expect(table.claim('data', idOf('b'))).toBe(FIRST_LEVEL + 1);
    expect(BlobTable.attach(table.shared).find('data', idOf('b'))).toBe(FIRST_LEVEL + 1);
  });

  test('more blobs than it can hold is a failure that says so', () => {
    const table = BlobTable.create(0);
    Atomics.store(new Int32Array(table.shared.counter), 0, 2 ** 26);
    expect(() => table.claim('data', idOf('a'))).toThrow(
      expect.objectContaining({ code: 'repository.unsupported' }),
    );
  });

  test('of many threads that claim the same blobs, each blob is won by exactly one, or by two at a level change', async () => {
    const table = BlobTable.create(0);
    const count = FIRST_LEVEL + 20_000;
    const threads = 3;
    const wins = await Promise.all(
      Array.from({ length: threads }, (_, thread) => claimAll(table.shared, thread, count)),
    );
    const winners = new Uint8Array(count);
    for (const won of wins) for (const number of won) winners[number]! += 1;
    expect(winners.indexOf(0)).toBe(-1);
    const twice = winners.filter((times) => times > 1);
    expect(twice.length).toBeLessThan(threads * 3);
    for (let number = 0; number < count; number += 97) {
      const entry = table.find('data', numbered(number));
      expect(table.idBytes(entry)).toEqual(numbered(number));
    }
  });
});

function numbered(number: number): Buffer {
  const id = Buffer.alloc(32);
  id.writeUInt32LE(Math.imul(number, 0x9e3779b1) >>> 0, 0);
  id.writeUInt32LE(number, 4);
  return id;
}

/** Has a thread claim the blobs 0 … count-1, in an order that meets the other threads all the time. */
async function claimAll(shared: SharedBlobTable, thread: number, count: number): Promise<Uint32Array> {
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ BlobTable }) => {
      const table = BlobTable.attach(workerData.shared);
      const id = Buffer.alloc(32);
      const won = [];
      for (let step = 0; step < workerData.count; step += 1) {
        const number = workerData.thread === 0 ? step : step ^ (workerData.thread * 3 & 7) ;
        if (number >= workerData.count) continue;
        id.writeUInt32LE(Math.imul(number, 0x9e3779b1) >>> 0, 0);
        id.writeUInt32LE(number, 4);
        if (table.claim('data', id) >= 0) won.push(number);
      }
      parentPort.postMessage(new Uint32Array(won));
    });`;
  const module = new URL('./blob-table.ts', import.meta.url).href;
  const worker = new Worker(script, { eval: true, workerData: { shared, thread, count, module } });
  const [won] = (await once(worker, 'message')) as [Uint32Array];
  await worker.terminate();
  return won;
}
