import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLocal, createRepository, systemClock } from '@holdfast/engine';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OpenFinding, Run } from '../catalog/records.ts';
import { labelsOf } from '../operations/files/snapshot-labels.ts';
import { saveDocuments } from '../snapshot/save-documents.ts';
import { readLedger } from './read-ledger.ts';
import { documentsOf } from './record.ts';

const never = new AbortController().signal;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-ledger-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const run = (id: string): Run => ({
  id,
  kind: 'snapshot',
  about: 'media',
  cause: 'schedule',
  dueAt: 1,
  queuedAt: 2,
  startedAt: 3,
  endedAt: 4,
  attempt: 1,
  state: 'failed',
  failure: { code: 'source.missing', message: 'nothing is there:\n“media”' },
  steps: [{ ordinal: 1, name: 'snapshot', state: 'failed', attempt: 1 }],
});
const finding: OpenFinding = {
  severity: 'error',
  code: 'pack.missing',
  subject: 'pack 1a2b',
  message: 'It is gone.',
  repository: 'main',
  snapshots: ['3c4d'],
  foundAt: 5,
  seenAt: 6,
};

test('what a ledger holds comes back from the repository as it was', async () => {
  const ledger = { policy: 'stack: shop\n', runs: [run('a'), run('b')], findings: [finding] };
  const repository = await createRepository(await createLocal({ path: directory }), 'p', {
    clock: systemClock,
    kdf: { N: 2, r: 1, p: 1 },
  });
  const machine = { clock: systemClock, timeZone: 'UTC', hostname: 'h', username: 'u', version: '0' };
  const labels = labelsOf({}, machine);
  const options = { clock: systemClock, labels, paths: ['/holdfast/shop'], retryLock: 0, signal: never };
  const snapshot = await saveDocuments(repository, documentsOf(ledger), options);
  expect(await readLedger(await repository.loadIndexToRead(never), snapshot, never)).toEqual(ledger);
});
