import { expect, test } from 'vitest';
import { noise } from '../../testing/backend-suite.ts';
import { CONFIG } from '../backend.ts';
import { openMemory } from '../memory/memory.ts';
import { readOnly } from './read-only.ts';

test('a backend opened for reading only shows its files and changes none', async () => {
  const inner = openMemory();
  await inner.save(CONFIG, noise(10));
  const backend = readOnly(inner);
  await expect(backend.save({ type: 'pack', name: 'a'.repeat(64) }, noise(1))).rejects.toMatchObject({
    code: 'backend.read-only',
  });
  await expect(backend.remove(CONFIG)).rejects.toMatchObject({ code: 'backend.read-only' });
  expect(await backend.load(CONFIG)).toEqual(noise(10));
  expect(await backend.stat(CONFIG)).toEqual({ size: 10 });
  expect(await Array.fromAsync(backend.list('config'))).toEqual([{ name: 'config', size: 10 }]);
  expect(await Array.fromAsync(inner.list('pack'))).toEqual([]);
});
