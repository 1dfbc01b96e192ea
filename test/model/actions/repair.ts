import type { Prng } from '../../../bench/corpus/prng.ts';
import { isLocked, pick, type Task } from '../action.ts';
import { otherThan, SIDES } from '../storage.ts';
import type { World } from '../world.ts';

/** Of a repository that is sound: it waits for the others or gives up, and never removes what they need. */
export function repair(world: World, prng: Prng): Task {
  const side = pick(SIDES, prng) ?? 'main';
  const words = ['repo', 'repair', '--from', world.storage.address(otherThan(side)), '--retry-lock', '5s'];
  return {
    command: world.ours(side, prng.fraction() < 0.5 ? words : [...words, '--read-data']),
    acknowledged: (lines) =>
      lines.filter(({ severity }) => severity === 'error').map((finding) => JSON.stringify(finding)),
    mayGiveUp: isLocked,
  };
}
