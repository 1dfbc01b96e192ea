import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { BackupScene } from '../scenes/backup-scene.ts';
import { branches, grow } from '../scenes/tree-arbitrary.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';

const withRestic = testWith(restic);
const RUNS = Number(process.env['HOLDFAST_PROPERTY_RUNS'] ?? 4);

withRestic(
  'whatever the tree, stock restic restores it as it was from what we backed up',
  async ({ server }) => {
    await fc.assert(
      fc.asyncProperty(
        branches,
        branches,
        fc.constantFrom('off', 'auto', 'max'),
        fc.constantFrom<1 | 2>(1, 2),
        async (before, after, compression, version) => {
          using scene = new BackupScene();
          const repository = await scene.create(version);
          grow(scene.tree, before);
          const first = await scene.backup(repository, { compression });
          expect(first.counts.problems).toBe(0);
          const restored = await scene.restored(server, first.snapshot!.id);
          expect(treeFacts(restored)).toEqual(treeFacts(scene.tree));
          rmSync(restored, { recursive: true });

          // Another tree beside what is there, and a second backup on top of the first.
          mkdirSync(join(scene.tree, 'after it all'), { recursive: true });
          grow(join(scene.tree, 'after it all'), after);
          const second = await scene.backup(repository, { compression, packSize: 4 * 1024 * 1024 });
          expect(treeFacts(await scene.restored(server, second.snapshot!.id))).toEqual(treeFacts(scene.tree));
          expect(await scene.restic(server, 'check', '--read-data')).toContain('no errors were found');
        },
      ),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
);
