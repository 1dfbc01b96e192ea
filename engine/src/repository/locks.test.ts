import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../backend/backend.ts';
import { type MemoryFiles, openMemory } from '../backend/memory/memory.ts';
import { encodeLock } from '../format/lock.ts';
import type { LockFile } from '../format/types.ts';
import { isFailure } from '../kernel/failure.ts';
import { fault, virtualClock } from '../testing/index.ts';
import { isStale, listLocks, removeLocks } from './lock-files.ts';
import { beginLock, withLock } from './locks.ts';
import { createRepository } from './open.ts';
import { Repository } from './repository.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-07-01T12:00:00Z');

async function repositoryOn(files: MemoryFiles): Promise<Repository> {
  const clock = virtualClock(START);
  return await createRepository(openMemory({ files }), 'pw', { clock, kdf: { N: 2 ** 14, r: 8, p: 1 } });
}

/** The same repository behind another backend. */
function behind(repository: Repository, wrap: (backend: Backend) => Backend): Repository {
  const { config, key, keyId, backend } = repository;
  return new Repository({ config, key, keyId, backend: wrap(backend) });
}

function lockOf(changes: Partial<LockFile>): LockFile {
  const time = new Date(START).toISOString();
  return { time, exclusive: false, hostname: 'here', username: 'u', pid: 7, uid: 0, gid: 0, ...changes };
}

describe('a lock is stale', () => {
  const here = {
    name: 'here',
    isAlive: (pid: number) => pid === 7 || pid === 9,
    isStopped: (pid: number) => pid === 9,
  };
  test.each([
    ['not while its process lives and it is fresh', lockOf({}), START + 30 * MINUTE, false],
    ['when it was not renewed for more than half an hour', lockOf({}), START + 30 * MINUTE + 1, true],
    ['when its process on this host is gone', lockOf({ pid: 8 }), START, true],
    ['not while its process on this host is stopped', lockOf({ pid: 9 }), START + 60 * MINUTE, false],
    [
      'when a process that is stopped here is another host’s',
      lockOf({ pid: 9, hostname: 'there' }),
      START + 60 * MINUTE,
      true,
    ],
    ['not when its process may live on another host', lockOf({ pid: 8, hostname: 'there' }), START, false],
    ['not when its clock is ahead of ours', lockOf({}), START - 60 * MINUTE, false],
    [
      'in whatever time zone it was written',
      lockOf({ time: '2026-07-01T14:00:00+02:00' }),
      START + MINUTE,
      false,
    ],
  ])('%s', (_, lock, now, stale) => {
    expect(isStale(lock, now, here)).toBe(stale);
  });
});

describe('two at once', () => {
  test.each([
    [false, false, true],
    [false, true, false],
    [true, false, false],
    [true, true, false],
  ])('the first exclusive: %s, the second exclusive: %s, both may work: %s', async (first, second, both) => {
    const repository = await repositoryOn(new Map());
    const clock = virtualClock(START);
    const held = await beginLock(repository, { exclusive: first, clock });
    await held.confirmed;
    const attempt = withLock(repository, { exclusive: second, clock }, async () => 'worked');
    if (both) expect(await attempt).toBe('worked');
    else await expect(attempt).rejects.toMatchObject({ code: 'repository.locked', exitCode: 11 });
    await held.release();
    expect(await listLocks(repository)).toEqual([]);
    expect(await withLock(repository, { exclusive: second, clock }, async () => 'worked')).toBe('worked');
  });

  test('of two that write their locks at the same time no two work', async () => {
    const repository = await repositoryOn(new Map());
    const clock = virtualClock(START);
    const begun = await Promise.all([
      beginLock(repository, { exclusive: true, clock }),
      beginLock(repository, { exclusive: true, clock }),
    ]);
    const outcomes = await Promise.allSettled(begun.map((lock) => lock.confirmed));
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    for (const lock of begun) await lock.release();
    expect(await listLocks(repository)).toEqual([]);
  });

  test('who waits gets in when the other is done', async () => {
    const repository = await repositoryOn(new Map());
    const clock = virtualClock(START);
    const held = await beginLock(repository, { exclusive: true, clock });
    await held.confirmed;
    const order: string[] = [];
    const waiting = withLock(repository, { exclusive: true, clock, retryFor: 10 * MINUTE }, async () => {
      order.push('second');
    });
    await clock.sleep(MINUTE);
    order.push('first');
    await held.release();
    await waiting;
    expect(order).toEqual(['first', 'second']);
  });

  test('who waits gives up when the time is over, and at once when interrupted', async () => {
    const repository = await repositoryOn(new Map());
    const clock = virtualClock(START);
    const held = await beginLock(repository, { exclusive: true, clock });
    const began = clock.now();
    const never = async () => expect.unreachable();
    await expect(
      withLock(repository, { exclusive: false, clock, retryFor: MINUTE }, never),
    ).rejects.toMatchObject({
      code: 'repository.locked',
    });
    expect(clock.now() - began).toBeGreaterThanOrEqual(MINUTE);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(
      withLock(repository, { exclusive: false, clock, retryFor: MINUTE, signal }, never),
    ).rejects.toThrow('enough');
    await held.release();
  });
});

describe('others’ locks', () => {
  test('one that is stale holds nobody up; one that cannot be read does', async () => {
    const repository = await repositoryOn(new Map());
    const clock = virtualClock(START + 31 * MINUTE);
    await repository.saveFile('lock', encodeLock(lockOf({ exclusive: true })));
    expect(await withLock(repository, { exclusive: true, clock }, async () => 'worked')).toBe('worked');
    await repository.saveFile('lock', Buffer.from('no lock at all'));
    await expect(beginLock(repository, { exclusive: false, clock })).rejects.toMatchObject({
      code: 'repository.locked',
    });
  });

  test('unlocking removes the stale ones and those that cannot be read, and all only when told so', async () => {
    const repository = await repositoryOn(new Map());
    const clock = virtualClock(START);
    const alive = await repository.saveFile(
      'lock',
      encodeLock(lockOf({ hostname: hostname(), pid: process.pid })),
    );
    const old = await repository.saveFile('lock', encodeLock(lockOf({ time: '2026-07-01T11:00:00Z' })));
    const garbage = await repository.saveFile('lock', Buffer.from('no lock at all'));
    const removed = await removeLocks(repository, { all: false, clock });
    expect(removed.map(({ id }) => id).sort()).toEqual([old, garbage].sort());
    expect((await listLocks(repository)).map(({ id }) => id)).toEqual([alive]);
    expect(await removeLocks(repository, { all: true, clock })).toHaveLength(1);
  });
});

describe('a lock that is held for long', () => {
  test('is renewed every five minutes, and there is always exactly one file between two renewals', async () => {
    const repository = await repositoryOn(new Map());
    const clock = virtualClock(START);
    await withLock(repository, { exclusive: true, clock }, async (signal) => {
      const seen = new Set<string>();
      for (let minute = 0; minute < 121; minute += 1) {
        const [lock, ...more] = await listLocks(repository);
        expect(more).toEqual([]);
        expect(clock.now() - Date.parse(lock!.lock!.time)).toBeLessThan(6 * MINUTE);
        seen.add(lock!.id);
        await clock.sleep(MINUTE);
      }
      expect(seen.size).toBeGreaterThanOrEqual(24);
      expect(signal.aborted).toBe(false);
    });
    expect(await listLocks(repository)).toEqual([]);
  });

  test('is lost when somebody removes it: the signal says so', async () => {
    const repository = await repositoryOn(new Map());
    const clock = virtualClock(START);
    const work = withLock(repository, { exclusive: false, clock }, async (signal) => {
      await removeLocks(repository, { all: true, clock });
      await clock.sleep(6 * MINUTE);
      signal.throwIfAborted();
    });
    await expect(work).rejects.toMatchObject({ code: 'repository.lock-lost' });
    expect(await listLocks(repository)).toEqual([]);
  });

  test.each(['fail', 'hang'] as const)(
    'is lost before others may take it for stale, when each renewal does: %s',
    async (does) => {
      const repository = await repositoryOn(new Map());
      const clock = virtualClock(START);
      const broken = behind(repository, (backend) =>
        fault(backend, [{ call: 'save', type: 'lock', nth: 2, times: 1e9, does }]),
      );
      const work = withLock(broken, { exclusive: false, clock }, async (signal) => {
        while (!signal.aborted) await clock.sleep(MINUTE);
        signal.throwIfAborted();
      });
      await expect(work).rejects.toMatchObject({ code: 'repository.lock-lost' });
      expect(clock.now() - START).toBeLessThan(30 * MINUTE);
      expect(clock.now() - START).toBeGreaterThan(10 * MINUTE);
    },
  );

  test('survives a renewal that fails now and then', async () => {
    const repository = await repositoryOn(new Map());
    const clock = virtualClock(START);
    const shaky = behind(repository, (backend) =>
      fault(backend, [
        { call: 'save', type: 'lock', nth: 2, does: 'fail' },
        { call: 'stat', type: 'lock', nth: 5, does: 'fail' },
        { call: 'remove', type: 'lock', nth: 3, does: 'succeed-then-fail' },
      ]),
    );
    await withLock(shaky, { exclusive: false, clock }, async (signal) => {
      for (let minute = 0; minute < 90; minute += 1) await clock.sleep(MINUTE);
      expect(signal.aborted).toBe(false);
    });
    expect(await listLocks(repository)).toEqual([]);
  });

  test('is lost when the machine slept for longer than a lock lives', async () => {
    const repository = await repositoryOn(new Map());
    let skipped = 0;
    const inner = virtualClock(START);
    const clock = { now: () => inner.now() + skipped, sleep: inner.sleep };
    const lock = await beginLock(repository, { exclusive: false, clock });
    await lock.confirmed;
    skipped = 60 * MINUTE;
    await inner.sleep(6 * MINUTE);
    expect(isFailure(lock.signal.reason, 'repository.lock-lost')).toBe(true);
    await lock.release();
  });
});

test('a lock that cannot be removed in the end spoils nothing of what was done', async () => {
  const repository = await repositoryOn(new Map());
  const clock = virtualClock(START);
  const broken = behind(repository, (backend) =>
    fault(backend, [{ call: 'remove', type: 'lock', does: 'fail' }]),
  );
  expect(await withLock(broken, { exclusive: false, clock }, async () => 'done')).toBe('done');
  const failing = withLock(broken, { exclusive: false, clock }, async () =>
    Promise.reject(new Error('the real reason')),
  );
  await expect(failing).rejects.toThrow('the real reason');
});
