import { isId } from '@holdfast/engine';
import type { Point } from '../catalog/records.ts';
import { formatCounted } from '../cli/format.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import { decideRetention, type RetentionDecision } from '../retention/decide-retention.ts';
import { forgetHeld } from './forget-held.ts';
import { accessFor, type Duty, repositoryNamed } from './hands.ts';
import { retentionInputs } from './retention-inputs.ts';
import { seePoints } from './see-points.ts';
import { NOTHING_CHANGED, type TaskOutcome } from './task.ts';

/**
 * Forgets what no rule of the policy keeps. What is decided about is what lies in the repository now, not what is
 * remembered of it; one snapshot that cannot be read there, and nothing goes. Points of sources that the policy does not
 * name (any more) stay: to take one out of the policy is no order to remove it.
 */
export async function forgetPoints(duty: Duty, name: string): Promise<TaskOutcome> {
  const { order, hands } = duty;
  const { policy, findings } = order;
  const access = await accessFor(duty, repositoryNamed(policy, name));
  const all = await seePoints(duty, name, access);
  const held = all.doubt === undefined ? await forgetHeld(duty, name, access, all.points) : [];
  const seen = { ...all, points: all.points.filter(({ snapshot }) => !held.includes(snapshot)) };
  const now = hands.machine.clock.now();
  const gone: string[] = [];
  const skipped: string[] = [];
  let kept = 0;
  const inputs = retentionInputs(policy, name, { ...seen, findings, now });
  for (const [source, ofOne] of Map.groupBy(inputs, (judged) => judged.source)) {
    const decisions = ofOne.map(({ input }) => decideRetention(input));
    const removed = removedByAll(decisions);
    kept += (ofOne[0]?.input.points.length ?? 0) - removed.length;
    gone.push(...removed.map(({ snapshot }) => snapshot));
    for (const because of new Set(decisions.flatMap((decision) => decision.skipped?.because ?? []))) {
      skipped.push(`${source}: ${because}`);
    }
  }
  if (gone.length > 0) await forget(duty, access, gone);
  return {
    ...NOTHING_CHANGED,
    removed: [...held, ...gone].map((snapshot) => ({ repository: name, snapshot })),
    ...(skipped.length === 0 ? {} : { skipped: skipped.join('; ') }),
    result: {
      snapshots: [],
      bytes: 0,
      added: 0,
      findings: [],
      summary:
        `${formatCounted(kept, 'point')} kept, ${gone.length} forgotten` +
        (held.length === 0 ? '' : `; ${formatCounted(held.length, 'slice')} that a roll-up holds`) +
        (skipped.length === 0 ? '' : `; nothing was judged of ${skipped.join('; ')}`),
    },
  };
}

/** Pure: a source may lie there by several copies with rules of their own; what one of them keeps stays. */
export function removedByAll(decisions: readonly RetentionDecision[]): Point[] {
  const [first, ...others] = decisions.map(({ removed }) => removed.map(({ point }) => point));
  const alsoRemoved = others.map((points) => new Set(points.map(({ snapshot }) => snapshot)));
  return (first ?? []).filter(({ snapshot }) => alsoRemoved.every((removed) => removed.has(snapshot)));
}

/** The policy is the consent; what goes is on record with the run, and comes back with `repo forget --undo` for a day. */
async function forget(
  { hands, work }: Duty,
  access: RepositoryAccess,
  snapshots: readonly string[],
): Promise<void> {
  await using planned = await hands.operations.planForget(
    access,
    { snapshots: snapshots.filter(isId), groupBy: [], maxUnused: { kind: 'unlimited' }, keepDelete: 0 },
    work,
  );
  await planned.execute(work);
}
