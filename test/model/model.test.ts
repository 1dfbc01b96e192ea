import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { restic } from '../servers/restic.ts';
import { testWith } from '../servers/test-with.ts';
import { actions } from './actions.ts';
import { Counts } from './counts.ts';
import { play } from './play.ts';

const withRestic = testWith(restic);
const SECONDS = Number(process.env['HOLDFAST_SECONDS'] ?? 100);
const LEAST_KILLS = 5;
const seed = process.env['HOLDFAST_SEED'] ?? randomBytes(4).toString('hex');

withRestic(
  'whatever several processes do to two repositories at once, what was promised is there, and nothing else',
  async ({ server }) => {
    const counts = new Counts();
    // Else a test that has done nothing would pass.
    const missing = () => [
      ...Object.entries(actions)
        .filter(([name, { atLeast }]) => counts.done(name) < atLeast)
        .map(([name, { atLeast }]) => `${name}: ${counts.done(name)} done of ${atLeast}`),
      ...((counts.mishaps.get('kill -9') ?? 0) < LEAST_KILLS ? ['hardly any were killed'] : []),
      ...(counts.marked > 0 && counts.removed > 0 ? [] : ['no prune has both marked and removed']),
    ];
    const wrong = await play({
      seed,
      counts,
      profile: 'all',
      storage: 'local',
      restic: server,
      endsAt: Date.now() + SECONDS * 1000,
      isEnough: () => missing().length === 0,
    });
    if (wrong.length > 0) expect.fail(wrong.join('\n'));
    expect(missing()).toEqual([]);
  },
);
