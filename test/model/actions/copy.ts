import type { Id } from '../../../engine/src/kernel/id.ts';
import type { Action } from '../action.ts';
import { otherThan, type Side } from '../storage.ts';

/** Copies from that side to the other one, one copy at a time: two would bring the same snapshots twice. */
export function copy(from: Side): Action['choose'] {
  const to = otherThan(from);
  const claim = `copying to ${to}`;
  return (world) => {
    if (world.claims.has(claim)) return undefined;
    return {
      command: world.ours(to, ['repo', 'copy', '--from-repo', world.storage.address(from)]),
      claims: [claim],
      acknowledged: (lines) => {
        const wrong: string[] = [];
        for (const { type, to: id, tags } of lines) {
          if (type !== 'copied') continue;
          const name = world.nameIn(tags);
          if (name === undefined) wrong.push(`a snapshot was copied that nobody made: ${id}`);
          else world.sides[to].save(id as Id, name);
        }
        return wrong;
      },
      // Of whatever the source had at any moment of it.
      unknown: () => world.sides[to].mayHave(world.allNames()),
    };
  };
}
