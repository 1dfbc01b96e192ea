import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { systemClock } from '../../engine/src/kernel/clock.ts';
import { checkRepository } from '../../engine/src/repository/check/check.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { BackupScene } from '../scenes/backup-scene.ts';
import { changeTree } from './changing-tree.ts';

const COPY_ONCE = fileURLToPath(new URL('copy-once.ts', import.meta.url));
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 5);
/** Packs, index files, snapshots and a lock. */
const FILES_OF_A_COPY = 50;

/** Copies; false when it was killed while it saved its `fatal`th file. */
async function copyUntilKilled(source: BackupScene, target: BackupScene, fatal: number): Promise<boolean> {
  const words = [COPY_ONCE, source.repositoryPath, target.repositoryPath, String(fatal)];
  const child = spawn(process.execPath, words, { stdio: 'inherit' });
  const [code, signal] = await once(child, 'close');
  expect(code === 0 || signal === 'SIGKILL').toBe(true);
  return code === 0;
}

async function errorsIn(repository: Repository): Promise<string[]> {
  const options = { clock: systemClock, random: Math.random, readData: 'all' } as const;
  const { findings } = await checkRepository(repository, options);
  return findings.filter(({ severity }) => severity === 'error').map(({ message }) => message);
}

test('however often a copy is killed, the target is sound, and the next one goes on until all is there', async () => {
  using source = new BackupScene();
  using target = new BackupScene();
  const [from, to] = [await source.create(), await target.create()];
  for (const round of [1, 2, 3]) {
    changeTree(source.tree, round);
    await source.backup(from);
  }
  const wanted = (await from.loadSnapshots()).map(({ tree }) => tree);
  for (let kill = 0; kill < KILLS; kill += 1) {
    await copyUntilKilled(source, target, randomInt(2, FILES_OF_A_COPY));
    expect(await errorsIn(to)).toEqual([]);
  }
  expect(await copyUntilKilled(source, target, Number.POSITIVE_INFINITY)).toBe(true);
  expect(await errorsIn(to)).toEqual([]);
  expect((await to.loadSnapshots()).map(({ tree }) => tree)).toEqual(wanted);
});
