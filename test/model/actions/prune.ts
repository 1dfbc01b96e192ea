import { type Action, isLocked, pick, type Task } from '../action.ts';

/** Whether it marks or removes depends on those options; while it removes, nothing that was forgotten is sure to come back. */
export function prune(options: readonly string[]): Action['choose'] {
  return (world, prng): Task => {
    const side = world.drawSide(prng);
    const holding = world.sides[side];
    const maxUnused = pick(['0%', '5%', 'unlimited'], prng) ?? '0%';
    const removes = options.length > 0;
    return {
      command: world.ours(side, ['repo', 'prune', '--max-unused', maxUnused, ...options]),
      before: async () => {
        if (removes) holding.beginRemoval();
        return true;
      },
      acknowledged: () => [],
      after: () => {
        if (removes) holding.endRemoval(Date.now());
      },
      // Only the one that removes at once needs the repository for itself.
      mayGiveUp: (code) => options.includes('--instant-delete') && isLocked(code),
    };
  };
}

/** Alone, and without what the killed have left: it does not see that nobody holds their locks. */
export const pruneWithRestic: Action['choose'] = (world, prng) => {
  const side = world.drawSide(prng);
  const holding = world.sides[side];
  return {
    command: world.stock(side, ['prune', '--max-unused', '0']),
    before: async () => {
      holding.beginRemoval();
      await world.unlock(side);
      return true;
    },
    acknowledged: () => [],
    after: () => holding.endRemoval(Date.now()),
  };
};
