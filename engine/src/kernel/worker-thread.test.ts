import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { workerUrl } from './worker-thread.ts';

test.each([
  [
    'file:///opt/engine/src/archive/backup/worker-crew.ts',
    'file:///opt/engine/src/archive/backup/backup-worker.ts',
  ],
  [
    'file:///opt/engine/dist/archive/backup/worker-crew.js',
    'file:///opt/engine/dist/archive/backup/backup-worker.js',
  ],
  ['file:///with%20a%20space/v1.2/worker-crew.js', 'file:///with%20a%20space/v1.2/backup-worker.js'],
])('a worker module is of the kind of the one that starts it: %s', (importer, worker) => {
  expect(workerUrl(importer, './backup-worker').href).toBe(worker);
});

test('from source it is there', () => {
  const importer = new URL('../archive/backup/worker-crew.ts', import.meta.url).href;
  expect(existsSync(workerUrl(importer, './backup-worker'))).toBe(true);
});
