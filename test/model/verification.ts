import type { Prng } from '../../bench/corpus/prng.ts';
import { restoreSnapshot } from '../../engine/src/archive/restore/restore.ts';
import { systemClock as clock } from '../../engine/src/kernel/clock.ts';
import { checkRepository } from '../../engine/src/repository/check/check.ts';
import { isRecord } from '../../engine/src/repository/forgotten/record.ts';
import type { Repository } from '../../engine/src/repository/repository.ts';
import { pickSome } from './action.ts';
import type { Counts } from './counts.ts';
import { runProgram } from './program.ts';
import { SIDES, type Side } from './storage.ts';
import type { World } from './world.ts';

export interface Verification {
  readonly counts: Counts;
  /** Which are restored: all, or a few. */
  readonly restores: 'all' | { readonly atMost: number; readonly prng: Prng };
}

/** While nobody is at work: the invariants, of both repositories. Answers what does not hold, in sentences. */
export async function verify(world: World, verification: Verification): Promise<string[]> {
  const wrong: string[] = [];
  for (const side of SIDES) {
    const repository = await world.open(side);
    try {
      wrong.push(
        ...(await verifySide(world, side, repository, verification)).map((text) => `${side}: ${text}`),
      );
    } finally {
      await repository.backend.close();
    }
  }
  return wrong;
}

async function verifySide(
  world: World,
  side: Side,
  repository: Repository,
  { counts, restores }: Verification,
): Promise<string[]> {
  const holding = world.sides[side];
  const wrong = (await world.unlock(side)).map(
    ({ lock }) => `the lock of process ${lock?.pid}, which is gone, is not stale`,
  );
  const found = (await repository.loadSnapshots()).filter((snapshot) => !isRecord(snapshot));
  wrong.push(...holding.settle(found));
  const held = [...holding.held];
  const chosen = restores === 'all' ? held : pickSome(held, restores.atMost, restores.prng);
  wrong.push(...(await restoreAll(world, repository, chosen)));
  counts.restores += chosen.length;
  const options = { clock, random: Math.random, readData: 'all', threads: 1 } as const;
  const { findings } = await checkRepository(repository, options);
  counts.checks += 1;
  wrong.push(
    ...findings.filter(({ severity }) => severity === 'error').map(({ message }) => `check: ${message}`),
  );
  const ending = await runProgram(world.stock(side, ['check', '--read-data']), world.restic.path);
  counts.resticChecks += 1;
  if (ending.how !== 'done') wrong.push(`restic check: ${'text' in ending ? ending.text : ending.how}`);
  return wrong;
}

async function restoreAll(
  world: World,
  repository: Repository,
  chosen: readonly (readonly [string, string])[],
): Promise<string[]> {
  const wrong: string[] = [];
  const indexed = await repository.loadIndex();
  const snapshots = new Map(
    (await repository.loadSnapshots()).map((snapshot) => [snapshot.id as string, snapshot]),
  );
  for (const [id, name] of chosen) {
    const tree = snapshots.get(id)?.tree;
    if (tree === undefined) continue;
    const target = world.newPlace();
    const onProblem = (problem: unknown) => wrong.push(`snapshot ${id}: ${JSON.stringify(problem)}`);
    await restoreSnapshot(indexed, { tree }, { clock, target, workers: 1, onProblem });
    wrong.push(...world.compare(name, target).map((difference) => `snapshot ${id}: ${difference}`));
  }
  return wrong;
}
