import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { listLocks } from '../../engine/src/repository/lock-files.ts';
import { BackupScene } from '../scenes/backup-scene.ts';
import { contentOf } from '../scenes/tree-arbitrary.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const execute = promisify(execFile);
const withRestic = testWith(restic);
const INTERRUPTED_BACKUP = fileURLToPath(new URL('interrupted-backup.ts', import.meta.url));

function growTree(tree: string): void {
  for (let file = 0; file < 40; file += 1)
    writeFileSync(join(tree, `file ${file}`), contentOf(1_000_000, file));
}

test('an interrupted backup ends by itself, tells why, keeps what it had, and holds no lock', async () => {
  using scene = new BackupScene();
  growTree(scene.tree);
  await (await scene.create()).backend.close();
  const child = spawn(process.execPath, [INTERRUPTED_BACKUP, scene.repositoryPath, scene.tree], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = await once(child, 'close');
  // It was not told to exit: had a worker, a timer or a file been left open, it would still run.
  expect({ code, output }).toEqual({ code: 0, output: 'interrupted: the person had enough' });

  const repository = await scene.open();
  expect(await listLocks(repository)).toEqual([]);
  expect(await repository.loadSnapshots()).toEqual([]);
  const { counts } = await scene.backup(repository);
  expect(counts.filesNew).toBe(40);
  expect(counts.dataAdded).toBeLessThan(36_000_000);
});

withRestic(
  'on a disk that is full a backup fails clearly, and works once there is room',
  async ({ server, skip }) => {
    using scene = new BackupScene();
    mkdirSync(scene.repositoryPath);
    try {
      await execute('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', scene.repositoryPath]);
    } catch (error) {
      skip(`a small disk could not be mounted: ${(error as Error).message.split('\n')[0]}`);
    }
    try {
      writeFileSync(join(scene.tree, 'small'), 'small');
      const repository = await scene.create();
      const { snapshot } = await scene.backup(repository);
      growTree(scene.tree);
      await expect(scene.backup(repository, { packSize: 2_000_000 })).rejects.toMatchObject({
        code: 'backend.full',
      });
      expect(await listLocks(repository)).toEqual([]);
      expect(
        readdirSync(scene.repositoryPath, { recursive: true, encoding: 'utf8' }).filter((name) =>
          name.includes('tmp'),
        ),
      ).toEqual([]);
      expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');

      await execute('mount', ['-o', 'remount,size=80m', scene.repositoryPath]);
      const next = await scene.backup(repository);
      expect(next.parent?.id).toBe(snapshot!.id);
      expect(treeFacts(await scene.restored(server, next.snapshot!.id))).toEqual(treeFacts(scene.tree));
    } finally {
      await execute('umount', [scene.repositoryPath]);
    }
  },
);
