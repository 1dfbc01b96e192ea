import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type Disk, systemDisk } from '../../engine/src/backend/local/disk.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import { BackupScene, PASSWORD } from '../scenes/backup-scene.ts';
import { contentOf } from '../scenes/tree-arbitrary.ts';

interface Step {
  readonly call: 'create' | 'sync' | 'name' | 'sync directory';
  /** The file or directory; of a naming the new name. */
  readonly path: string;
  /** Of a naming: the temporary file that got it. */
  readonly from?: string;
}

/** The real disk; each step is written down when it is begun (create) or done (all others). */
function recording(steps: Step[]): Disk {
  const naming = (call: 'link' | 'rename') => async (path: string, name: string) => {
    await systemDisk[call](path, name);
    steps.push({ call: 'name', path: name, from: path });
  };
  return {
    ...systemDisk,
    link: naming('link'),
    rename: naming('rename'),
    syncDirectory: async (path) => {
      await systemDisk.syncDirectory(path);
      steps.push({ call: 'sync directory', path });
    },
    createFile: async (path, mode) => {
      steps.push({ call: 'create', path });
      const file = await systemDisk.createFile(path, mode);
      return {
        ...file,
        sync: async () => {
          await file.sync();
          steps.push({ call: 'sync', path });
        },
      };
    },
  };
}

interface Life {
  /** Positions in the steps: when its first byte may have been written, and when it is safe from a power cut. */
  readonly begun: number;
  readonly durable: number;
}

/** Each file that got its final name below `folder`. */
function lives(steps: readonly Step[], folder: string): Life[] {
  return steps.flatMap((step, named) => {
    if (step.call !== 'name' || !step.path.startsWith(folder)) return [];
    const of = (call: Step['call'], path: string | undefined, from = 0) =>
      steps.findIndex((other, at) => at >= from && other.call === call && other.path === path);
    const synced = of('sync', step.from);
    const directorySynced = of('sync directory', dirname(step.path), named);
    expect(synced, `the content of ${step.path} is on the disk before its name`).toBeGreaterThanOrEqual(0);
    expect(synced).toBeLessThan(named);
    expect(directorySynced, `the name ${step.path} is on the disk`).toBeGreaterThan(named);
    return [{ begun: of('create', step.from), durable: directorySynced }];
  });
}

test('at every moment of a backup a power cut leaves packs without an index at most, never the other way round', async () => {
  using scene = new BackupScene();
  await (await scene.create()).backend.close();
  for (let file = 0; file < 12; file += 1)
    writeFileSync(join(scene.tree, `file ${file}`), contentOf(700_000, file));
  const steps: Step[] = [];
  const path = scene.repositoryPath;
  const repository = await openRepository(await openLocal({ path, disk: recording(steps) }), PASSWORD);
  await scene.backup(repository, { packSize: 512 * 1024 });
  await repository.backend.close();

  const packs = lives(steps, join(path, 'data/'));
  const indexes = lives(steps, join(path, 'index/'));
  const snapshots = lives(steps, join(path, 'snapshots/'));
  expect([packs.length > 8, indexes.length, snapshots.length]).toEqual([true, 1, 1]);
  const lastDurable = (files: readonly Life[]) => Math.max(...files.map(({ durable }) => durable));
  const firstBegun = (files: readonly Life[]) => Math.min(...files.map(({ begun }) => begun));
  expect(lastDurable(packs)).toBeLessThan(firstBegun(indexes));
  expect(lastDurable(indexes)).toBeLessThan(firstBegun(snapshots));
});
