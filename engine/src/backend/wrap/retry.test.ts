import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../kernel/failure.ts';
import { sha256Id } from '../../kernel/hash.ts';
import { describeBackend, noise } from '../../testing/backend-suite.ts';
import { virtualClock } from '../../testing/clock.ts';
import type { Backend, Handle } from '../backend.ts';
import { type MemoryFiles, openMemory } from '../memory/memory.ts';
import { waitAfter } from './backoff.ts';
import { type Fault, fault } from './fault.ts';
import { meter } from './meter.ts';
import { type RetryNotice, retry } from './retry.ts';

const data = noise(1000);
const pack: Handle = { type: 'pack', name: sha256Id(data) };
const odd: Handle = { type: 'lock', name: 'ab'.repeat(32) };

/** A backend with these faults below a retry, what reached it, and how long was waited. */
function setUp(faults: readonly Fault[], options: { totalTime?: number; firstContact?: number } = {}) {
  const clock = virtualClock();
  const notices: RetryNotice[] = [];
  const files: MemoryFiles = new Map();
  const inner = meter(fault(openMemory({ files }), faults));
  const notify = (notice: RetryNotice) => void notices.push(notice);
  return {
    backend: retry(inner, { clock, random: () => 0.5, notify, ...options }),
    inner,
    clock,
    notices,
    files,
  };
}

async function names(backend: Backend): Promise<string[]> {
  return Array.fromAsync(backend.list('pack'), (file) => file.name);
}

/** Every kind of call fails now and then, before and after its work. */
const TROUBLE: readonly Fault[] = [2, 5, 9].flatMap((nth): Fault[] => [
  { call: 'save', nth, does: 'fail', code: 'backend.unreachable' },
  { call: 'save', nth: nth - 1, does: 'succeed-then-fail' },
  { call: 'load', nth, does: 'fail', times: 2 },
  { call: 'stat', nth, does: 'fail' },
  { call: 'remove', nth: nth - 1, does: 'succeed-then-fail' },
  { call: 'list', nth, does: 'fail', after: nth },
]);

for (const [name, faults] of [
  ['memory with retry', []],
  ['memory in trouble with retry', TROUBLE],
] as const) {
  describeBackend(name, async () => {
    const { backend, files } = setUp(faults);
    return {
      backend,
      reopen: async () => openMemory({ files }),
      addStrangers: async () => void files.set('data/ab/README', data),
    };
  });
}

describe('retry', () => {
  test('tries again, waiting longer each time, and tells about it', async () => {
    const { backend, clock, notices } = setUp([{ call: 'save', does: 'fail', times: 3 }]);
    await backend.save(pack, data);
    expect(await backend.load(pack)).toEqual(data);
    expect(clock.sleeps).toEqual([250, 500, 1000]);
    expect(notices).toHaveLength(3);
    expect(notices[2]).toMatchObject({
      call: 'save',
      failures: 3,
      wait: 1000,
      subject: `pack ${pack.name.slice(0, 8)}`,
    });
  });

  test('gives up after the total time, with the last failure', async () => {
    const { backend, clock } = setUp([{ call: 'load', does: 'fail', times: Number.POSITIVE_INFINITY }], {
      totalTime: 60_000,
    });
    await expect(backend.load(pack)).rejects.toMatchObject({ code: 'backend.io' });
    expect(clock.now()).toBeGreaterThan(20_000);
    expect(clock.now()).toBeLessThanOrEqual(60_000);
  });

  test.each(['backend.not-found', 'backend.denied', 'backend.full'] as const)(
    'does not try %s again',
    async (code) => {
      const { backend, clock } = setUp([{ call: 'load', does: 'fail', code }]);
      await expect(backend.load(pack)).rejects.toMatchObject({ code });
      expect(clock.sleeps).toEqual([]);
    },
  );

  test('believes that a file is too short after three times', async () => {
    const { backend, inner } = setUp([]);
    await backend.save(pack, data);
    await expect(backend.load(pack, { offset: 0, length: 2000 })).rejects.toMatchObject({
      code: 'backend.short-read',
    });
    expect(inner.reading().load.pack.calls).toBe(3);
  });

  test.each([
    ['named by its hash, without reading it again', pack, 0],
    ['that has another name, after comparing it', odd, 1],
  ] as const)('takes a save whose answer was lost as done: a file %s', async (_, handle, loads) => {
    const { backend, inner } = setUp([{ call: 'save', does: 'succeed-then-fail' }]);
    await backend.save(handle, data);
    expect(inner.reading().load[handle.type].calls).toBe(loads);
    expect(await backend.load(handle)).toEqual(data);
  });

  test('does not take somebody else’s file of that name for its own', async () => {
    const { backend, files } = setUp([{ call: 'save', does: 'fail' }]);
    files.set(`locks/${odd.name}`, noise(1000, 9));
    await expect(backend.save(odd, data)).rejects.toMatchObject({ code: 'backend.exists' });
  });

  test('does not take half a file for its own', async () => {
    const { backend } = setUp([{ call: 'save', does: 'tear' }]);
    await expect(backend.save(pack, data)).rejects.toMatchObject({ code: 'backend.exists' });
  });

  test('a name that was taken before the first try stays an error', async () => {
    const { backend } = setUp([]);
    await backend.save(pack, data);
    await expect(backend.save(pack, data)).rejects.toMatchObject({ code: 'backend.exists' });
  });

  test('takes a remove whose answer was lost as done', async () => {
    const { backend, files } = setUp([{ call: 'remove', does: 'succeed-then-fail' }]);
    await backend.save(pack, data);
    await backend.remove(pack);
    expect(files.size).toBe(0);
    await expect(backend.remove(pack)).rejects.toMatchObject({ code: 'backend.not-found' });
  });

  test('goes on with a list that broke off, and names no file twice', async () => {
    const { backend, clock } = setUp([
      { call: 'list', nth: 1, does: 'fail', after: 3 },
      { call: 'list', nth: 2, does: 'fail', after: 6 },
      { call: 'list', nth: 3, does: 'fail' },
    ]);
    const files = Array.from({ length: 10 }, (_, index) => noise(10, index));
    for (const file of files) await backend.save({ type: 'pack', name: sha256Id(file) }, file);
    const listed = await names(backend);
    expect(listed.toSorted()).toEqual(files.map((file) => sha256Id(file)).toSorted());
    // The second failure came after progress, so it waits as after a first one; the third did not.
    expect(clock.sleeps).toEqual([250, 250, 500]);
  });

  test('stops as soon as its signal aborts, in the middle of a wait', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const clock = virtualClock();
    const backend = retry(fault(openMemory(), [{ call: 'load', does: 'fail', times: 100 }]), {
      clock,
      random: () => 0.5,
      notify: () => queueMicrotask(() => abort.abort(reason)),
    });
    await expect(backend.load(pack, undefined, abort.signal)).rejects.toBe(reason);
    expect(clock.now()).toBe(0);
  });

  /** A place that is too busy for so many calls, and says for how long. */
  function busy(times: number, retryAfter: number) {
    const clock = virtualClock();
    let left = times;
    const inner: Backend = {
      ...openMemory(),
      stat: async () => {
        left -= 1;
        if (left < 0) return { size: 1 };
        throw new Failure('backend.unreachable', 'too busy', { retryAfter });
      },
    };
    return { clock, backend: retry(inner, { clock, random: () => 0.5, totalTime: 60_000 }) };
  }

  test('leaves a busy place alone for as long as it asks, and a little longer', async () => {
    const { clock, backend } = busy(2, 20_000);
    await backend.stat(pack);
    expect(clock.now()).toBe(2 * 20_000 + 250 + 500);
  });

  test('whatever it asks for, it is asked once more before patience ends, and then no more', async () => {
    const { clock, backend } = busy(1, 86_400_000);
    await backend.stat(pack);
    expect(clock.now()).toBe(60_000);
    const never = busy(1000, 86_400_000);
    await expect(never.backend.stat(pack)).rejects.toMatchObject({ code: 'backend.unreachable' });
    expect(never.clock.now()).toBe(60_000);
  });

  test('waits stay within their bounds, whatever chance says', () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), chance, (failures, random) => {
        const wait = waitAfter(failures, { random: () => random, firstWait: 100, longestWait: 5000 });
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(Math.min(5000, 100 * 2 ** (failures - 1)));
      }),
    );
  });
});

describe('a place that has never answered', () => {
  const down: Fault = { call: 'stat', does: 'fail', times: 1000, code: 'backend.unreachable' };

  test('is given up sooner', async () => {
    const { backend, clock } = setUp([down], { firstContact: 10_000 });
    const before = clock.now();
    await expect(backend.stat(pack)).rejects.toMatchObject({ code: 'backend.unreachable' });
    expect(clock.now() - before).toBeLessThanOrEqual(10_000);
  });

  test('gets all our patience once it has answered, even that it has no such file', async () => {
    const { backend, clock } = setUp([down], { firstContact: 10_000, totalTime: 60_000 });
    await expect(backend.load(odd)).rejects.toMatchObject({ code: 'backend.not-found' });
    const before = clock.now();
    await expect(backend.stat(pack)).rejects.toMatchObject({ code: 'backend.unreachable' });
    expect(clock.now() - before).toBeGreaterThan(10_000);
  });
});
