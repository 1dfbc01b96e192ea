import { describe, expect, test } from 'vitest';
import { sha256Id } from '../../kernel/hash.ts';
import { describeBackend, noise } from '../../testing/backend-suite.ts';
import { virtualClock } from '../../testing/clock.ts';
import type { Backend, Handle } from '../backend.ts';
import { type MemoryFiles, openMemory } from '../memory/memory.ts';
import { fault } from './fault.ts';
import { limit } from './limit.ts';
import { pace } from './pace.ts';

describeBackend('memory with a limit', async () => {
  const files: MemoryFiles = new Map();
  return {
    backend: limit(openMemory({ files }), {
      clock: virtualClock(),
      upload: 1e6,
      download: 1e6,
      connections: 2,
    }),
    reopen: async () => openMemory({ files }),
    addStrangers: async () => void files.set('data/ab/README', noise(3)),
  };
});

function pack(seed: number): { handle: Handle; data: Uint8Array } {
  const data = noise(1000, seed);
  return { handle: { type: 'pack', name: sha256Id(data) }, data };
}

const packs = Array.from({ length: 10 }, (_, index) => pack(index));

/** Remembers how many calls were at work at once. */
function watchConcurrency(inner: Backend): { backend: Backend; most: () => number } {
  let now = 0;
  let most = 0;
  const backend: Backend = {
    ...inner,
    save: async (...args) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      await inner.save(...args);
      now -= 1;
    },
  };
  return { backend, most: () => most };
}

describe('limit', () => {
  test('ten files of 1000 bytes at 500 bytes a second take as long as they must, also all at once', async () => {
    const clock = virtualClock();
    const backend = limit(openMemory(), { clock, upload: 500 });
    await Promise.all(packs.map(({ handle, data }) => backend.save(handle, data)));
    // The last starts when the nine before it have passed.
    expect(clock.now()).toBe(9 * 2000);
  });

  test('loads have a rate of their own: ranges, and whole files whose size is known only afterwards', async () => {
    const clock = virtualClock();
    const backend = limit(openMemory(), { clock, download: 500 });
    for (const { handle, data } of packs) await backend.save(handle, data);
    expect(clock.now()).toBe(0);
    for (const { handle } of packs) await backend.load(handle, { offset: 0, length: 500 });
    expect(clock.now()).toBe(9 * 1000);
    for (const { handle } of packs) await backend.load(handle);
    expect(clock.now()).toBe(10 * 1000 + 9 * 2000);
  });

  test('an index file does not wait for packs that were given up, and what comes next waits for it', async () => {
    const clock = virtualClock();
    const backend = limit(openMemory(), { clock, upload: 500 });
    const [first, second, last] = packs as [(typeof packs)[0], (typeof packs)[0], (typeof packs)[0]];
    await backend.save(first.handle, first.data);
    const given = new AbortController();
    const saving = backend.save(second.handle, second.data, given.signal);
    given.abort(new Error('given up'));
    await expect(saving).rejects.toThrow('given up');
    await backend.save({ ...last.handle, type: 'index' }, last.data);
    expect(clock.now()).toBe(0);
    await backend.save(last.handle, last.data);
    expect(clock.now()).toBe(6000);
  });

  test('requests have a rate too, whatever is asked', async () => {
    const clock = virtualClock();
    const backend = limit(openMemory(), { clock, requests: 4 });
    const [{ handle, data }] = packs as [(typeof packs)[0]];
    await backend.save(handle, data);
    await backend.load(handle);
    await backend.stat(handle);
    await Array.fromAsync(backend.list('pack'));
    await backend.remove(handle);
    expect(clock.now()).toBe(1000);
  });

  test('an idle line saves nothing up for a burst', async () => {
    const clock = virtualClock();
    const line = pace(100, clock);
    await line.turn(100);
    await clock.sleep(60_000);
    await line.turn(100);
    await line.turn(100);
    expect(clock.now()).toBe(61_000);
  });

  test('no more calls are at work at once than allowed, and all get their turn', async () => {
    const { backend: inner, most } = watchConcurrency(openMemory());
    const backend = limit(inner, { clock: virtualClock(), connections: 3 });
    await Promise.all(packs.map(({ handle, data }) => backend.save(handle, data)));
    expect(most()).toBe(3);
    expect(backend.connections).toBe(3);
    expect(await Array.fromAsync(backend.list('pack'))).toHaveLength(10);
  });

  test('a list leaves its consumer a connection to load what it names', async () => {
    const backend = limit(openMemory(), { clock: virtualClock(), connections: 1 });
    for (const { handle, data } of packs) await backend.save(handle, data);
    let bytes = 0;
    for await (const { name } of backend.list('pack'))
      bytes += (await backend.load({ type: 'pack', name })).length;
    expect(bytes).toBe(10_000);
  });

  test('a call that is aborted while it waits leaves the queue, and the others go on', async () => {
    const [first, second, third] = packs as [(typeof packs)[0], (typeof packs)[0], (typeof packs)[0]];
    const hanging = new AbortController();
    const waiting = new AbortController();
    const reason = new Error('enough');
    const backend = limit(fault(openMemory(), [{ call: 'save', does: 'hang' }]), {
      clock: virtualClock(),
      connections: 1,
    });
    const saves = [
      backend.save(first.handle, first.data, hanging.signal),
      backend.save(second.handle, second.data, waiting.signal),
      backend.save(third.handle, third.data),
    ];
    const settled = Promise.allSettled(saves);
    waiting.abort(reason);
    await expect(saves[1]).rejects.toBe(reason);
    hanging.abort(reason);
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(await backend.stat(third.handle)).toEqual({ size: 1000 });
  });

  test('a wait for bandwidth ends when the signal aborts', async () => {
    const clock = virtualClock();
    const backend = limit(openMemory(), { clock, upload: 1 });
    const [first, second] = packs as [(typeof packs)[0], (typeof packs)[0]];
    await backend.save(first.handle, first.data);
    const abort = new AbortController();
    const reason = new Error('enough');
    const saving = backend.save(second.handle, second.data, abort.signal);
    abort.abort(reason);
    await expect(saving).rejects.toBe(reason);
    expect(clock.now()).toBe(0);
  });
});
