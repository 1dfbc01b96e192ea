import { expect, test } from 'vitest';
import { sha256Id } from '../../kernel/hash.ts';
import { describeBackend, noise } from '../../testing/backend-suite.ts';
import { CONFIG, type Handle } from '../backend.ts';
import { type MemoryFiles, openMemory } from '../memory/memory.ts';
import { meter } from './meter.ts';

describeBackend('memory with a meter', async () => {
  const files: MemoryFiles = new Map();
  return {
    backend: meter(openMemory({ files })),
    reopen: async () => openMemory({ files }),
    addStrangers: async () => void files.set('data/ab/README', noise(3)),
  };
});

test('a meter counts calls, failures and bytes, by call and type', async () => {
  const backend = meter(openMemory());
  const data = noise(1000);
  const pack: Handle = { type: 'pack', name: sha256Id(data) };
  await backend.save(pack, data);
  await backend.save(pack, data).catch(() => undefined);
  await backend.save(CONFIG, noise(70));
  await backend.load(pack, { offset: 5, length: 10 });
  await backend.load(pack);
  await backend.stat(pack);
  for await (const _ of backend.list('pack'));
  await backend.remove(pack);
  await backend.remove(pack).catch(() => undefined);
  const before = backend.reading();
  await backend.stat(CONFIG);

  const none = { calls: 0, failures: 0, bytes: 0 };
  expect(before.save.pack).toEqual({ calls: 2, failures: 1, bytes: 1000 });
  expect(before.save.config).toEqual({ calls: 1, failures: 0, bytes: 70 });
  expect(before.load.pack).toEqual({ calls: 2, failures: 0, bytes: 1010 });
  expect(before.stat.pack).toEqual({ calls: 1, failures: 0, bytes: 0 });
  expect(before.list.pack).toEqual({ calls: 1, failures: 0, bytes: 0 });
  expect(before.remove.pack).toEqual({ calls: 2, failures: 1, bytes: 0 });
  expect(before.stat.config).toEqual(none);
  expect(backend.reading().stat.config).toEqual({ ...none, calls: 1 });
});
