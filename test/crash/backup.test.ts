import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { BackupScene } from '../scenes/backup-scene.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';
import { changeTree } from './changing-tree.ts';

const withRestic = testWith(restic);
const BACKUP_LOOP = fileURLToPath(new URL('backup-loop.ts', import.meta.url));
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 5);

interface Acknowledged {
  readonly round: number;
  readonly id: string;
}

/** Runs the loop and kills it some time into its `count`th backup; returns the snapshots that it acknowledged. */
async function backUpUntilKilled(
  scene: BackupScene,
  firstRound: number,
  count: number,
): Promise<Acknowledged[]> {
  const child = spawn(
    process.execPath,
    [BACKUP_LOOP, scene.repositoryPath, scene.tree, scene.cacheDirectory, String(firstRound)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const closed = once(child, 'close');
  let output = '';
  let armed = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (armed || output.split('begun').length <= count) return;
    armed = true;
    // A backup of this tree takes some 400 ms: any moment of it, and now and then one after it.
    void delay(randomInt(450)).then(() => child.kill('SIGKILL'));
  });
  const [, signal] = await closed;
  expect(signal).toBe('SIGKILL');
  return Array.from(output.matchAll(/saved (\d+) (\w+)\n/g), ([, round, id]) => ({
    round: Number(round),
    id: id!,
  }));
}

withRestic(
  'however often a backup is killed, no acknowledged snapshot lacks anything, and the next one works',
  async ({ server }) => {
    using scene = new BackupScene();
    await (await scene.create()).backend.close();
    const acknowledged: Acknowledged[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const saved = await backUpUntilKilled(scene, kill * 10 + 1, kill === 0 ? 1 : randomInt(1, 3));
      acknowledged.push(...saved);
      await scene.restic(server, 'unlock');
      expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
      const there = JSON.parse(await scene.restic(server, 'snapshots', '--json')) as { id: string }[];
      expect(new Set(acknowledged.map(({ id }) => id)).isSubsetOf(new Set(there?.map(({ id }) => id)))).toBe(
        true,
      );
    }

    // Killed processes hold nobody up: this one meets their locks, packs without an index and half a scan cache.
    changeTree(scene.tree, 1000);
    const repository = await scene.open();
    const { snapshot } = await scene.backup(repository);
    expect(treeFacts(await scene.restored(server, snapshot!.id))).toEqual(treeFacts(scene.tree));
    for (const { round, id } of acknowledged.slice(-3)) {
      changeTree(join(scene.base, 'expected'), round);
      const restored = contentsOnly(treeFacts(join(await scene.restored(server, id), '..', scene.tree)));
      expect(restored).toEqual(contentsOnly(treeFacts(join(scene.base, 'expected'))));
    }
  },
);

/** Without times: the tree was made anew. */
function contentsOnly(facts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(facts).map(([key, fact]) => [key, fact.replace(/mtime -?\d+/, '')]),
  );
}
