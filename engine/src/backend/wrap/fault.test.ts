import { expect, test } from 'vitest';
import { sha256Id } from '../../kernel/hash.ts';
import { describeBackend, noise } from '../../testing/backend-suite.ts';
import { CONFIG, type Handle } from '../backend.ts';
import { type MemoryFiles, openMemory } from '../memory/memory.ts';
import { fault } from './fault.ts';

describeBackend('memory without faults', async () => {
  const files: MemoryFiles = new Map();
  return {
    backend: fault(openMemory({ files }), []),
    reopen: async () => openMemory({ files }),
    addStrangers: async () => void files.set('data/ab/README', noise(3)),
  };
});

const data = noise(100);
const pack: Handle = { type: 'pack', name: sha256Id(data) };

test('the nth call of a kind and type fails, as often as scripted, and did nothing', async () => {
  const backend = fault(openMemory(), [
    { call: 'save', type: 'pack', does: 'fail', nth: 2, times: 2, code: 'backend.full' },
  ]);
  await backend.save(pack, data);
  await backend.save(CONFIG, data);
  const other: Handle = { type: 'pack', name: 'a'.repeat(64) };
  await expect(backend.save(other, data)).rejects.toMatchObject({ code: 'backend.full' });
  await expect(backend.save(other, data)).rejects.toMatchObject({ code: 'backend.full' });
  await expect(backend.stat(other)).rejects.toMatchObject({ code: 'backend.not-found' });
  await backend.save(other, data);
  expect(await backend.stat(other)).toEqual({ size: 100 });
});

test('a call hangs until it is aborted', async () => {
  const backend = fault(openMemory(), [{ call: 'load', does: 'hang' }]);
  const abort = new AbortController();
  const loading = backend.load(pack, undefined, abort.signal);
  const reason = new Error('enough');
  abort.abort(reason);
  await expect(loading).rejects.toBe(reason);
});

test('a save succeeds and its answer is lost', async () => {
  const backend = fault(openMemory(), [{ call: 'save', does: 'succeed-then-fail' }]);
  await expect(backend.save(pack, data)).rejects.toMatchObject({ code: 'backend.io' });
  expect(await backend.load(pack)).toEqual(data);
});

test('a remove succeeds and its answer is lost', async () => {
  const backend = fault(openMemory(), [{ call: 'remove', does: 'succeed-then-fail' }]);
  await backend.save(pack, data);
  await expect(backend.remove(pack)).rejects.toMatchObject({ code: 'backend.io' });
  await expect(backend.stat(pack)).rejects.toMatchObject({ code: 'backend.not-found' });
});

test('a save leaves half a file behind', async () => {
  const backend = fault(openMemory(), [{ call: 'save', does: 'tear' }]);
  await expect(backend.save(pack, data)).rejects.toMatchObject({ code: 'backend.io' });
  expect(await backend.load(pack)).toEqual(data.subarray(0, 50));
});

test('a load comes back short without a word', async () => {
  const backend = fault(openMemory(), [{ call: 'load', does: 'cut' }]);
  await backend.save(pack, data);
  expect(await backend.load(pack)).toEqual(data.subarray(0, 50));
  expect(await backend.load(pack)).toEqual(data);
});

test.each([0, 2])('a list breaks off after %i files', async (after) => {
  const backend = fault(openMemory(), [{ call: 'list', does: 'fail', after }]);
  for (let seed = 0; seed < 2; seed++)
    await backend.save({ type: 'pack', name: sha256Id(noise(9, seed)) }, noise(9, seed));
  let seen = 0;
  const iterate = async (): Promise<void> => {
    for await (const _ of backend.list('pack')) seen += 1;
  };
  await expect(iterate()).rejects.toMatchObject({ code: 'backend.io' });
  expect(seen).toBe(after);
});
