import { expect, test } from 'vitest';
import type { Handle } from '../../backend/backend.ts';
import { openMemory } from '../../backend/memory/memory.ts';
import { systemClock as clock } from '../../kernel/clock.ts';
import { Failure, type FailureCode } from '../../kernel/failure.ts';
import { createRepository } from '../../repository/open.ts';
import { together } from '../../testing/far-away.ts';
import { WritingSession } from './writing-session.ts';

/** Saves one durable pack, gives up for the reason of `code`, and tells how many index files there are then. */
async function indexFilesAfterGivingUp(code: FailureCode): Promise<number> {
  const backend = openMemory();
  const repository = await createRepository(backend, 'pw', { clock, kdf: { N: 2, r: 8, p: 1 } });
  const indexed = await repository.loadIndex();
  const giveUp = new AbortController();
  const session = new WritingSession(indexed, {
    clock,
    workers: 1,
    packSize: 1,
    mayWrite: Promise.resolve(),
    signal: giveUp.signal,
  });
  const tree = await session.saveTree([]);
  await expect.poll(() => indexed.index.has('tree', tree)).toBe(true);
  giveUp.abort(new Failure(code, 'given up'));
  await session.abandon();
  return (await Array.fromAsync(backend.list('index'))).length;
}

test('one worker alone keeps all connections busy', async () => {
  const memory = openMemory({ connections: 5 });
  const repository = await createRepository(memory, 'pw', { clock, kdf: { N: 2, r: 8, p: 1 } });
  const isPack = ({ type }: Handle) => type === 'pack';
  const slow = repository.behind((inner) => together(inner, 'save', inner.connections, isPack));
  const session = new WritingSession(await slow.loadIndex(), {
    clock,
    workers: 1,
    packSize: 1,
    mayWrite: Promise.resolve(),
  });
  await Promise.all(Array.from({ length: 10 }, (_, number) => session.saveData(Buffer.from(`${number}`))));
  await session.finish();
  expect(await Array.fromAsync(memory.list('pack'))).toHaveLength(10);
});

test('what was durable when a backup was interrupted is indexed, for the next one to find', async () => {
  expect(await indexFilesAfterGivingUp('interrupted')).toBe(1);
});

test('without its lock a backup that gives up names no packs: a prune may have removed them', async () => {
  expect(await indexFilesAfterGivingUp('repository.lock-lost')).toBe(0);
});
