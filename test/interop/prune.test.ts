import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { checkRepository } from '../../engine/src/repository/check/check.ts';
import { forgetSnapshots } from '../../engine/src/repository/forget.ts';
import { pruneRepository } from '../../engine/src/repository/prune/prune.ts';
import type { PruneOptions, PrunePlan } from '../../engine/src/repository/prune/prune-plan.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { computeStats, type StatsMode } from '../../engine/src/repository/stats.ts';
import { noise } from '../../engine/src/testing/backend-suite.ts';
import { BackupScene } from '../scenes/backup-scene.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const withRestic = testWith(restic);

/** Fills the tree differently for each generation: some files stay, some change, some move. */
function grow(scene: BackupScene, generation: number): void {
  for (const folder of ['stays', 'changes', `only-${generation}`]) {
    mkdirSync(join(scene.tree, folder), { recursive: true });
  }
  for (let at = 0; at < 20; at += 1) {
    writeFileSync(join(scene.tree, 'stays', `${at}`), noise(20_000, at));
    const seed = at % 2 === 0 ? at : 1_000 * generation + at;
    writeFileSync(join(scene.tree, 'changes', `${at}`), noise(30_000 + at, 100 + seed));
    writeFileSync(join(scene.tree, `only-${generation}`, `${at}.txt`), `${generation} ${at} `.repeat(500));
  }
  const before = join(scene.tree, `only-${generation - 2}`);
  rmSync(before, { recursive: true, force: true });
}

async function prune(repository: Repository, options: PruneOptions = {}): Promise<PrunePlan> {
  const run = { clock: systemClock, approve: () => true, maxUnused: { percent: 0 }, grace: 'none' } as const;
  return (await pruneRepository(repository, { ...run, ...options })).plan;
}

async function expectClean(repository: Repository): Promise<void> {
  const options = { clock: systemClock, random: Math.random, readData: 'all' } as const;
  expect(await checkRepository(repository, options)).toMatchObject({ findings: [], unused: { blobs: 0 } });
}

withRestic(
  'restic writes and forgets, we prune, restic finds and restores everything',
  async ({ server }) => {
    for (const version of [1, 2] as const) {
      using scene = new BackupScene();
      const repository = await scene.create(version);
      const source = join(scene.base, 'source');
      for (const generation of [1, 2, 3]) {
        grow(scene, generation);
        await scene.resticIn(source, server, 'backup', 'tree');
      }
      await scene.restic(server, 'forget', '--keep-last', '1');
      const before = scene.repositoryBytes;
      const plan = await prune(repository);

      expect(plan.totals.repacked.packs).toBeGreaterThan(0);
      expect(before - scene.repositoryBytes).toBeGreaterThan(plan.totals.freed * 0.9);
      await expectClean(repository);
      const told = await scene.restic(server, 'check', '--read-data');
      expect(told).toContain('no errors were found');
      expect(treeFacts(await scene.restored(server, 'latest'))).toEqual(treeFacts(scene.tree));
      expect((await prune(repository)).idle).toBe(true);
    }
  },
);

withRestic(
  'we write and forget, restic prunes, we find and restic restores everything',
  async ({ server }) => {
    using scene = new BackupScene();
    const repository = await scene.create();
    const taken = [];
    for (const generation of [1, 2, 3]) {
      grow(scene, generation);
      const { snapshot } = await scene.backup(repository, { packSize: 200_000 });
      if (snapshot !== undefined) taken.push(snapshot.id);
    }
    expect(await forgetSnapshots(repository, taken.slice(0, 2), { clock: systemClock })).toHaveLength(2);
    await scene.restic(server, 'prune', '--max-unused', '0');
    await expectClean(repository);
    expect(treeFacts(await scene.restored(server, 'latest'))).toEqual(treeFacts(scene.tree));
  },
);

withRestic('we write, forget and prune in turns, and restic agrees every time', async ({ server }) => {
  using scene = new BackupScene();
  const repository = await scene.create();
  for (const generation of [1, 2, 3, 4]) {
    grow(scene, generation);
    renameSync(join(scene.tree, 'stays'), join(scene.tree, `moved-${generation}`));
    const { snapshot, parent } = await scene.backup(repository, { packSize: 200_000 });
    expect(snapshot).toBeDefined();
    if (parent !== undefined) await forgetSnapshots(repository, [parent.id], { clock: systemClock });
    await prune(repository, { packSize: 200_000 });
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
    expect(treeFacts(await scene.restored(server, 'latest'))).toEqual(treeFacts(scene.tree));
  }
});

withRestic('what restic counts, we count', async ({ server }) => {
  using scene = new BackupScene();
  const repository = await scene.create();
  const source = join(scene.base, 'source');
  for (const generation of [1, 2, 3]) {
    grow(scene, generation);
    await scene.resticIn(source, server, 'backup', 'tree');
  }
  const snapshots = await repository.loadSnapshots();
  const indexed = await repository.loadIndex();
  for (const mode of ['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data'] as StatsMode[]) {
    const theirs = JSON.parse(await scene.restic(server, 'stats', '--json', '--mode', mode));
    const ours = await computeStats(indexed, snapshots, mode);
    expect({ mode, size: ours.totalSize, files: ours.files ?? 0, blobs: ours.blobs ?? 0 }).toEqual({
      mode,
      size: theirs.total_size,
      files: theirs.total_file_count ?? 0,
      blobs: theirs.total_blob_count ?? 0,
    });
    expect(ours.snapshots).toBe(3);
  }
});
