import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';
import { copySnapshots } from '../../engine/src/archive/copy/copy.ts';
import { openLocal } from '../../engine/src/backend/local/local.ts';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { openRepository } from '../../engine/src/repository/open.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { noise } from '../../engine/src/testing/backend-suite.ts';
import { GOLDEN_PASSWORD, GOLDEN_REPOSITORIES, unpackGolden } from '../fixtures/golden/unpack.ts';
import { BackupScene, PASSWORD } from '../scenes/backup-scene.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const execute = promisify(execFile);
const withRestic = testWith(restic);

async function copy(source: Repository, target: Repository) {
  return await copySnapshots(source, target, {
    clock: systemClock,
    random: Math.random,
    snapshots: await source.loadSnapshots(),
    threads: 2,
    signal: new AbortController().signal,
  });
}

/** Has stock restic copy; answers what it wrote to stdout. */
async function resticCopy(program: { readonly path: string }, source: BackupScene, target: BackupScene) {
  const { stdout } = await execute(
    program.path,
    ['--repo', target.repositoryPath, '--no-cache', 'copy', '--from-repo', source.repositoryPath, '-v'],
    { env: { ...process.env, RESTIC_PASSWORD: PASSWORD, RESTIC_FROM_PASSWORD: PASSWORD } },
  );
  return stdout;
}

async function treesOf(repository: Repository): Promise<string[]> {
  return (await repository.loadSnapshots()).map(({ time, tree, tags }) => `${time} ${tree} ${tags.join()}`);
}

function grow(scene: BackupScene, generation: number): void {
  mkdirSync(join(scene.tree, `folder ${generation}`), { recursive: true });
  for (let at = 0; at < 10; at += 1) {
    writeFileSync(join(scene.tree, `folder ${generation}`, `${at}`), noise(30_000, generation * 100 + at));
    writeFileSync(join(scene.tree, `text ${at}`), `${generation} ${at} `.repeat(5000));
  }
}

describe.each([1, 2] as const)('a golden repository in format %i', (version) => {
  withRestic.for(GOLDEN_REPOSITORIES)('is copied whole: %s', async (name, { server }) => {
    using golden = unpackGolden(name);
    using scene = new BackupScene();
    const source = await openRepository(await openLocal({ path: golden.path }), GOLDEN_PASSWORD);
    const target = await scene.create(version);
    expect(await copy(source, target)).toMatchObject({ damaged: [], present: [] });
    expect(await treesOf(target)).toEqual(await treesOf(source));
    const known = new Set((await source.loadSnapshots()).map(({ id, original }) => original ?? id));
    expect(new Set((await target.loadSnapshots()).map(({ original }) => original))).toEqual(known);
    expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
    expect(await copy(source, target)).toMatchObject({ copied: [], blobs: 0 });
  });
});

withRestic('what we have copied, restic knows, restores and does not copy again', async ({ server }) => {
  using source = new BackupScene();
  using target = new BackupScene();
  const [from, to] = [await source.create(), await target.create()];
  for (const generation of [1, 2]) {
    grow(source, generation);
    await source.backup(from);
  }
  await copy(from, to);
  const snapshots = await to.loadSnapshots();
  expect(snapshots).toHaveLength(2);
  expect(await target.restic(server, 'check', '--read-data')).toContain('no errors were found');
  await resticCopy(server, source, target);
  expect(await to.loadSnapshots()).toEqual(snapshots);
  expect(treeFacts(await target.restored(server, 'latest'))).toEqual(treeFacts(source.tree));
});

withRestic('what restic has copied, we know, and bring only what it has not', async ({ server }) => {
  using source = new BackupScene();
  using target = new BackupScene();
  const [from, to] = [await source.create(), await target.create(1)];
  grow(source, 1);
  await source.resticIn(join(source.base, 'source'), server, 'backup', 'tree', '--tag', 'theirs');
  await resticCopy(server, source, target);
  grow(source, 2);
  await source.resticIn(join(source.base, 'source'), server, 'backup', 'tree');
  expect(await copy(from, to)).toMatchObject({ copied: [{}], present: [{}] });
  expect(await treesOf(to)).toEqual(await treesOf(from));
  expect(await target.restic(server, 'check', '--read-data')).toContain('no errors were found');
  expect(treeFacts(await target.restored(server, 'latest'))).toEqual(treeFacts(source.tree));
});
