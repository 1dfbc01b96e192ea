import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type Backend,
  createBackend,
  createRepository,
  KeptIndex,
  openRepository,
  parseAddress,
  systemClock,
} from '@holdfast/engine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { viewRepository } from './repository-view.ts';
import { type SliceWriter, saveSlice } from './slice.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'holdfast-view-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const KDF = { N: 2 ** 14, r: 8, p: 1 };

test('all that the snapshots refer to is in the index, also when a journal ships while it is read', async () => {
  const backend = await createBackend(parseAddress(path.join(directory, 'repository')));
  const repository = await createRepository(backend, 'secret', { clock: systemClock, kdf: KDF });
  const journal: SliceWriter = {
    repository,
    index: new KeptIndex(repository),
    place: { source: 'postgres', directory: ['postgres', '7', 'wal'] },
    clock: systemClock,
    labels: { hostname: 'here', username: 'somebody', uid: 0, gid: 0, programVersion: 'test' },
    retryLock: 0,
    signal: new AbortController().signal,
  };
  let shipped = 0;
  const ship = async () => {
    shipped += 1;
    const content = Buffer.from(`WAL ${shipped}`);
    const file = { name: `${shipped}`, size: content.length, modified: shipped };
    await saveSlice(journal, {
      files: [
        {
          ...file,
          content: (async function* () {
            yield content;
          })(),
        },
      ],
      time: shipped,
      tags: () => [],
    });
  };
  await ship();
  const busy = await openRepository(shippingBetween(backend, ship), 'secret');
  const { snapshots, indexed } = await viewRepository(busy);
  expect(shipped).toBeGreaterThan(1);
  expect(snapshots).not.toEqual([]);
  for (const { tree } of snapshots) await expect(indexed.loadTree(tree)).resolves.toBeDefined();
});

/** A backend beside which somebody ships whenever snapshots or indexes have been listed. */
function shippingBetween(backend: Backend, ship: () => Promise<void>): Backend {
  return {
    ...backend,
    async *list(type, signal) {
      yield* backend.list(type, signal);
      if (type === 'index' || type === 'snapshot') await ship();
    },
  };
}
