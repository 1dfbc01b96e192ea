import type { Prng } from '../../../bench/corpus/prng.ts';
import { pick, type Task } from '../action.ts';
import type { World } from '../world.ts';

/** Those who only read: none of them may ever fail because somebody else is at work. */

export function restore(world: World, prng: Prng): Task | undefined {
  const side = world.drawSide(prng);
  const free = [...world.sides[side].held].filter(([id]) => !world.claims.has(id));
  const chosen = pick(free, prng);
  if (chosen === undefined) return undefined;
  const [id, name] = chosen;
  const target = world.newPlace();
  return {
    command: world.ours(side, ['files', 'restore', id, '--target', target]),
    claims: [id],
    acknowledged: () => world.compare(name, target).map((difference) => `snapshot ${id}: ${difference}`),
  };
}

export function check(world: World, prng: Prng): Task {
  const words = prng.fraction() < 0.5 ? ['repo', 'check'] : ['repo', 'check', '--read-data'];
  return {
    command: world.ours(world.drawSide(prng), words),
    acknowledged: (lines) =>
      lines.filter(({ severity }) => severity === 'error').map((finding) => JSON.stringify(finding)),
  };
}

export function listPoints(world: World, prng: Prng): Task {
  const side = world.drawSide(prng);
  const { held } = world.sides[side];
  const before = [...held.keys()].filter((id) => !world.claims.has(id));
  return {
    command: world.ours(side, ['points']),
    // Who is held now and was then, and that nobody may forget meanwhile, is in the list.
    claims: before,
    acknowledged: (lines) => {
      const listed = new Set(lines.map(({ id }) => id));
      return before.filter((id) => !listed.has(id)).map((id) => `snapshot ${id} is not in the list`);
    },
  };
}

export function unlock(world: World, prng: Prng): Task {
  return {
    command: world.ours(world.drawSide(prng), ['repo', 'unlock']),
    acknowledged: () => [],
  };
}
