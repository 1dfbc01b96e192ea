import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';
import { actions } from './actions.ts';
import { Counts } from './counts.ts';
import { play } from './play.ts';

const withRestic = testWith(restic);
const SECONDS = Number(process.env['HOLDFAST_SECONDS'] ?? 100);
const seed = process.env['HOLDFAST_SEED'] ?? randomBytes(4).toString('hex');

withRestic(
  'whatever several processes do to two repositories at once, what was promised is there, and nothing else',
  async ({ server }) => {
    const counts = new Counts();
    const game = { seed, counts, profile: 'all', storage: 'local', restic: server };
    const wrong = await play({ ...game, endsAt: Date.now() + SECONDS * 1000 });
    if (wrong.length > 0) expect.fail(wrong.join('\n'));
    for (const [name, { atLeast }] of Object.entries(actions)) {
      expect.soft(counts.done(name), `${name} was done`).toBeGreaterThanOrEqual(atLeast);
    }
    expect(counts.mishaps.get('kill -9') ?? 0).toBeGreaterThanOrEqual(5);
    expect([counts.marked > 0, counts.removed > 0]).toEqual([true, true]);
  },
);
