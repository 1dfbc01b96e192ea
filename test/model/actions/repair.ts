import type { Prng } from '../../../bench/corpus/prng.ts';
import { isLocked, type Task } from '../action.ts';
import { otherThan } from '../storage.ts';
import type { World } from '../world.ts';

/** Of a repository that is sound: it waits for the others or gives up, and never removes what they need. */
export function repair(world: World, prng: Prng): Task {
  const side = world.drawSide(prng);
  const words = ['repo', 'repair', '--from', world.storage.address(otherThan(side)), '--retry-lock', '5s'];
  return {
    command: world.ours(side, prng.fraction() < 0.5 ? words : [...words, '--read-data']),
    acknowledged: (lines) =>
      lines.filter(({ severity }) => severity === 'error').map((finding) => JSON.stringify(finding)),
    mayGiveUp: isLocked,
  };
}
