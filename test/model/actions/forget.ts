import type { Prng } from '../../../bench/corpus/prng.ts';
import type { Id } from '../../../engine/src/kernel/id.ts';
import { isLocked, pickSome, type Task } from '../action.ts';
import type { Side } from '../storage.ts';
import type { World } from '../world.ts';

/** More are forgotten than made. */
const MANY_SNAPSHOTS = 6;
const LEFT_SNAPSHOTS = 2;

export function forget(world: World, prng: Prng): Task | undefined {
  const drawn = drawHeld(world, prng);
  if (drawn === undefined) return undefined;
  const { side, ids } = drawn;
  const at = Date.now();
  const words = ['repo', 'forget', ...ids, '--retry-lock', '5s'];
  return {
    command: world.ours(side, words),
    claims: ids,
    acknowledged: (lines) => {
      world.sides[side].forget(ids, { at, undoable: true });
      const forgotten = lines.at(-1)?.['forgotten'];
      return forgotten === ids.length ? [] : [`${forgotten} were forgotten of ${ids.length}`];
    },
    unknown: () => world.sides[side].doubt(ids, { at, undoable: true }),
    mayGiveUp: isLocked,
  };
}

export function forgetWithRestic(world: World, prng: Prng): Task | undefined {
  const drawn = drawHeld(world, prng);
  if (drawn === undefined) return undefined;
  const { side, ids } = drawn;
  const at = Date.now();
  return {
    command: world.stock(side, ['forget', ...ids]),
    claims: ids,
    acknowledged: () => {
      world.sides[side].forget(ids, { at, undoable: false });
      return [];
    },
    unknown: () => world.sides[side].doubt(ids, { at, undoable: false }),
    mayGiveUp: isLocked,
  };
}

/** Brings some back by name, of one forgetting or of several. */
export function undo(world: World, prng: Prng): Task | undefined {
  const side = world.drawSide(prng);
  const holding = world.sides[side];
  const undoable = [...holding.forgotten].filter(([id, { undoable }]) => undoable && !world.claims.has(id));
  const chosen = pickSome(undoable, 2, prng);
  if (chosen.length === 0) return undefined;
  const ids = chosen.map(([id]) => id);
  return {
    command: world.ours(side, ['repo', 'forget', '--undo', ...ids]),
    claims: ids,
    acknowledged: (lines) => {
      const broughtBack = lines.at(-1)?.['broughtBack'];
      holding.bringBack(ids);
      return broughtBack === ids.length ? [] : [`${broughtBack} were brought back of ${ids.length}`];
    },
    unknown: () => holding.doubt(ids, { at: Date.now(), undoable: true }),
    mayGiveUp: () => chosen.some(([, forgotten]) => holding.mayBeGone(forgotten)),
  };
}

function drawHeld(world: World, prng: Prng): { side: Side; ids: Id[] } | undefined {
  const side = world.drawSide(prng);
  const free = [...world.sides[side].held.keys()].filter((id) => !world.claims.has(id));
  // Some are always left, for those who read.
  const most = free.length - LEFT_SNAPSHOTS;
  if (most < 1) return undefined;
  return { side, ids: pickSome(free, free.length > MANY_SNAPSHOTS ? most : Math.min(2, most), prng) };
}
