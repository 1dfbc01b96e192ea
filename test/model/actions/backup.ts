import { basename, dirname } from 'node:path';
import type { Prng } from '../../../bench/corpus/prng.ts';
import type { Id } from '../../../engine/src/kernel/id.ts';
import { HOST } from '../../scenes/backup-scene.ts';
import { changeTree } from '../../scenes/changing-tree.ts';
import { isLocked, pick, type Task } from '../action.ts';
import { bringRecurringFiles } from '../recurring-files.ts';
import type { Side } from '../storage.ts';
import type { World } from '../world.ts';

export function backUp(world: World, prng: Prng): Task | undefined {
  const drawn = drawTree(world, prng);
  if (drawn === undefined) return undefined;
  const { tree, side, name } = drawn;
  const words = ['files', 'backup', basename(tree), '--host', HOST, '--tag', name];
  return {
    command: world.ours(side, words, dirname(tree)),
    claims: [tree],
    acknowledged: (lines) => {
      const id = lines.at(-1)?.['snapshot'];
      if (typeof id !== 'string')
        return [`a backup ended well and names no snapshot: ${JSON.stringify(lines)}`];
      world.sides[side].save(id as Id, name);
      return [];
    },
    unknown: () => world.sides[side].mayHave([name]),
  };
}

export function backUpWithRestic(world: World, prng: Prng): Task | undefined {
  const drawn = drawTree(world, prng);
  if (drawn === undefined) return undefined;
  const { tree, side, name } = drawn;
  return {
    command: world.stock(side, ['backup', '--host', HOST, '--tag', name, basename(tree)], dirname(tree)),
    claims: [tree],
    acknowledged: (lines) => {
      const id = lines.find(({ message_type }) => message_type === 'summary')?.['snapshot_id'];
      if (typeof id !== 'string') return ['restic’s backup ended well and names no snapshot'];
      world.sides[side].saveBegun(id, name);
      return [];
    },
    unknown: () => world.sides[side].mayHave([name]),
    // It does not wait for the moment in which packs are marked.
    mayGiveUp: isLocked,
  };
}

/** A tree that nobody else reads now, changed a little; backed up to the main repository mostly. */
function drawTree(world: World, prng: Prng): { tree: string; side: Side; name: string } | undefined {
  const tree = pick(
    world.trees.filter((candidate) => !world.claims.has(candidate)),
    prng,
  );
  if (tree === undefined) return undefined;
  changeTree(tree, prng);
  bringRecurringFiles(tree, prng);
  return { tree, side: world.drawSide(prng, 0.8), name: world.nameContent(tree) };
}
