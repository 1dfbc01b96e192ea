import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { checkRepository } from '../../engine/src/repository/check/check.ts';
import { loadRepositorySource } from '../../engine/src/repository/repair/blob-source.ts';
import { originalFiles } from '../../engine/src/repository/repair/original-files.ts';
import { type RepairRun, repairRepository } from '../../engine/src/repository/repair/repair.ts';
import { repairSnapshots } from '../../engine/src/repository/repair/snapshot-repair.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { noise } from '../../engine/src/testing/backend-suite.ts';
import { BackupScene, PASSWORD } from '../scenes/backup-scene.ts';
import { filesIn, packFiles } from '../scenes/half-destroyed.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const withRestic = testWith(restic);

type Program = { readonly path: string };

/** Three backups of a growing tree, each by restic, so that every index file and pack is its own. */
async function written(scene: BackupScene, server: Program): Promise<Repository> {
  const repository = await scene.create();
  for (const generation of [1, 2, 3]) {
    mkdirSync(join(scene.tree, `${generation}`), { recursive: true });
    for (let at = 0; at < 20; at += 1) {
      writeFileSync(join(scene.tree, `${generation}`, `${at}`), noise(20_000, generation * 100 + at));
    }
    writeFileSync(join(scene.tree, `large-${generation}`), noise(5_000_000, generation));
    await scene.resticIn(join(scene.base, 'source'), server, 'backup', 'tree');
  }
  return repository;
}

async function repair(repository: Repository, run: Partial<RepairRun> = {}) {
  return await repairRepository(repository, { clock: systemClock, approve: () => true, ...run });
}

async function expectWhole(scene: BackupScene, server: Program, repository: Repository): Promise<void> {
  const report = await checkRepository(repository, {
    clock: systemClock,
    random: Math.random,
    readData: 'all',
  });
  expect(report.findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
  expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
  expect(treeFacts(await scene.restored(server, 'latest'))).toEqual(treeFacts(scene.tree));
}

function packs(scene: BackupScene): string[] {
  return filesIn(join(scene.repositoryPath, 'data')).flatMap((folder) => filesIn(folder));
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  const position = at < 0 ? bytes.length + at : at;
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  rmSync(path);
  writeFileSync(path, bytes);
}

/** What a disk does to a pack. */
const HARM: Record<string, (path: string) => void> = {
  'is deleted': (path) => rmSync(path),
  'is cut off': (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2)),
  'has a flipped bit in a blob': (path) => flip(path, 40),
  'has a flipped bit in its header': (path) => flip(path, -10),
  'is empty': (path) => truncateSync(path, 0),
};

describe('a repository of restic', () => {
  withRestic('gets its index back, and restic goes on with it', async ({ server }) => {
    using scene = new BackupScene();
    const repository = await written(scene, server);
    const files = filesIn(join(scene.repositoryPath, 'index'));
    expect(files).toHaveLength(3);
    rmSync(files[0] ?? '');
    await repair(repository);
    await expectWhole(scene, server, repository);
    for (const file of filesIn(join(scene.repositoryPath, 'index'))) rmSync(file);
    await repair(repository);
    await expectWhole(scene, server, repository);
    await scene.resticIn(join(scene.base, 'source'), server, 'backup', 'tree');
    await expectWhole(scene, server, repository);
  });

  withRestic('gets back from a copy whatever a disk did to a pack', async ({ server }) => {
    using scene = new BackupScene();
    using other = new BackupScene();
    const repository = await written(scene, server);
    await other.create();
    await copyWithRestic(scene, other, server);
    const source = await loadRepositorySource(await other.open());
    for (const harm of Object.values(HARM)) {
      const [pack = '', another = ''] = packs(scene);
      harm(pack);
      harm(another);
      const { plan } = await repair(repository, { blobs: { readData: true, sources: [() => source] } });
      expect(plan.blobs?.lost).toEqual([]);
      await expectWhole(scene, server, repository);
    }
  });

  withRestic('gets back from the original files what restic had cut', async ({ server }) => {
    using scene = new BackupScene();
    const repository = await written(scene, server);
    for (const file of (await packFiles(scene.repositoryPath, PASSWORD)).data) rmSync(file);
    const sources = [originalFiles()];
    const { plan } = await repair(repository, { blobs: { readData: false, sources } });
    expect(plan.blobs?.lost).toEqual([]);
    await expectWhole(scene, server, repository);
  });

  withRestic(
    'has its snapshots made anew without what is lost, and restic finds them whole',
    async ({ server }) => {
      using scene = new BackupScene();
      const repository = await written(scene, server);
      const [pack = ''] = (await packFiles(scene.repositoryPath, PASSWORD)).data;
      rmSync(pack);
      await repair(repository, { blobs: { readData: false, sources: [] } });
      const { plan } = await repairSnapshots(repository, {
        clock: systemClock,
        forget: true,
        readData: false,
        approve: () => true,
      });
      expect(plan.salvaged.length).toBeGreaterThan(0);
      expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
      const lost = new Set(plan.salvaged.at(-1)?.lost.map(({ path }) => `${path}`.replace(/^\/tree/, '')));
      const back = treeFacts(await scene.restored(server, 'latest'));
      const was = treeFacts(scene.tree);
      for (const path of lost) delete was[path];
      expect(back).toEqual(was);
      expect(lost.size).toBeGreaterThan(0);
    },
  );
});

/** With restic's own copy, since the pieces must be those that it cut. */
async function copyWithRestic(from: BackupScene, to: BackupScene, server: Program): Promise<void> {
  const password = join(to.base, 'password');
  writeFileSync(password, PASSWORD);
  const version = (await from.restic(server, 'version')).match(/restic 0\.(\d+)/)?.[1];
  const secondary = Number(version) < 14 ? '--repo2' : '--from-repo';
  const secret = Number(version) < 14 ? '--password-file2' : '--from-password-file';
  await to.restic(server, 'copy', secondary, from.repositoryPath, secret, password);
  expect(readdirSync(join(to.repositoryPath, 'snapshots'))).toHaveLength(3);
}
