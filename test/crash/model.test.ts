import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';
import { Tally } from '../soak/tally.ts';
import { Trial } from '../soak/trial.ts';

const withRestic = testWith(restic);
const STEPS = 15;

withRestic(
  'whoever works, is killed, interrupted or let down by the storage, each promised snapshot comes back exactly',
  async ({ server }) => {
    const tally = new Tally();
    using trial = new Trial({ seed: 'the short version', version: 2, tally, restic: server.path });
    await trial.begin();
    for (let step = 0; step < STEPS; step += 1) expect(await trial.step()).toEqual([]);
    expect(tally.snapshots).toBeGreaterThan(5);
  },
);

withRestic('what the repository loses is noticed', async ({ server }) => {
  using trial = new Trial({ seed: 'losses', version: 2, tally: new Tally(), restic: server.path });
  await trial.begin();
  for (let step = 0; step < 3; step += 1) expect(await trial.step()).toEqual([]);
  for (const entry of readdirSync(trial.repository, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.parentPath.endsWith('snapshots')) rmSync(join(entry.parentPath, entry.name));
  }
  expect(await trial.step()).toContainEqual(expect.stringContaining('was promised and is gone'));
});
