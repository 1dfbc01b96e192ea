import { formatBytes } from '../cli/format.ts';
import { accessFor, type Duty, repositoryNamed } from './hands.ts';
import { NOTHING_CHANGED, type TaskOutcome } from './task.ts';

/**
 * Marks what nothing refers to any more, and removes what was marked long enough ago. The policy is the consent; the plan
 * is kept with the run.
 */
export async function prune(duty: Duty, name: string): Promise<TaskOutcome> {
  const { order, hands, work } = duty;
  const repository = repositoryNamed(order.policy, name);
  const access = await accessFor(duty, repository);
  await using planned = await hands.operations.planPrune(
    access,
    { maxUnused: { kind: 'share', share: 0.05 }, keepDelete: GRACE_MS },
    work,
  );
  const { bytesFreed, bytesMarked, postponed } = await planned.execute(work);
  return {
    ...NOTHING_CHANGED,
    ...(postponed === undefined ? {} : { skipped: postponed }),
    result: {
      snapshots: [],
      bytes: bytesFreed,
      added: 0,
      findings: [],
      summary:
        postponed === undefined
          ? `${formatBytes(bytesFreed)} freed, ${formatBytes(bytesMarked)} marked to go in 23 hours`
          : `postponed: ${postponed}`,
    },
  };
}

/** As `repo prune` has it: 23 hours, so that a daily prune removes what the last one has marked. */
const GRACE_MS = 23 * 3_600_000;
