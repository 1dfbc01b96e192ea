import type { Prng } from '../../../bench/corpus/prng.ts';
import type { Handle } from '../../../engine/src/backend/backend.ts';
import type { Id } from '../../../engine/src/kernel/id.ts';
import { PackContents } from '../../../engine/src/repository/pack-contents.ts';
import type { Repository } from '../../../engine/src/repository/repository.ts';
import { pick, type Task } from '../action.ts';
import { otherThan, type Side } from '../storage.ts';
import type { World } from '../world.ts';

/**
 * Loses a pack of one repository, or bytes of it, and brings back what was in it from the other one. Only packs are
 * hurt of which the other has everything: what both have lost nobody can bring back.
 */
export function damage(world: World, prng: Prng): Task {
  const side = world.drawSide(prng);
  const holding = world.sides[side];
  const from = world.storage.address(otherThan(side));
  return {
    command: world.ours(side, ['repo', 'repair', '--read-data', '--from', from]),
    insist: true,
    before: async () => {
      // What was forgotten is nothing that a repair looks for.
      holding.beginRemoval();
      return await hurt(world, side, prng);
    },
    acknowledged: () => [],
    after: () => holding.endRemoval(Date.now()),
  };
}

/** False when there is no pack of which the other one has everything. */
async function hurt(world: World, side: Side, prng: Prng): Promise<boolean> {
  const repository = await world.open(side);
  const other = await world.open(otherThan(side));
  try {
    const pack = pick(await sharedPacks(repository, other), prng);
    if (pack === undefined) return false;
    const handle: Handle = { type: 'pack', name: pack };
    const bytes = await repository.backend.load(handle);
    await repository.backend.remove(handle);
    if (prng.fraction() < 0.4) return true;
    const flipped = prng.below(bytes.length);
    bytes[flipped] = (bytes[flipped] ?? 0) ^ (1 << prng.below(8));
    await repository.backend.save(handle, bytes);
    return true;
  } finally {
    await repository.backend.close();
    await other.backend.close();
  }
}

async function sharedPacks(repository: Repository, other: Repository): Promise<Id[]> {
  const { index } = await repository.loadIndex();
  const { index: elsewhere } = await other.loadIndex();
  const contents = PackContents.of(index);
  return index.packs.filter((_, pack) =>
    contents.blobsOf(pack).every(({ type, id }) => elsewhere.has(type, id)),
  );
}
