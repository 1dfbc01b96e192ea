import { pathText, repairSnapshots, type SnapshotRepairPlan } from '@holdfast/engine';
import type { PlanSnapshotRepair } from '../../../cli/commands/repo/repair/snapshots.ts';
import type { SnapshotRepairView } from '../../../cli/render/snapshot-repair.ts';
import { planAgreed } from '../../agreed-work.ts';
import { type AccessMachine, openAccess } from '../../repository-access.ts';
import { chosenOf } from '../../snapshot-choice.ts';

/** Plans and executes under one exclusive lock. */
export function planSnapshotRepair(machine: AccessMachine): PlanSnapshotRepair {
  return async (access, request, { signal, progress }) => {
    const { clock } = machine;
    await using opening = new AsyncDisposableStack();
    const opened = opening.use(await openAccess(access, { intent: 'write', signal }, machine));
    let startedAt = clock.now();
    return await planAgreed(
      {
        opening,
        progress,
        run: (approve: (plan: SnapshotRepairView) => Promise<boolean>) =>
          repairSnapshots(opened.repository, {
            clock,
            forget: request.forget ?? false,
            readData: request.readData ?? false,
            retryLockFor: access.retryLock,
            signal: opened.signal,
            choose: (snapshots) => chosenOf(snapshots, request.snapshots, request),
            approve: async (plan) => {
              const agreed = await approve(viewOf(plan));
              startedAt = clock.now();
              return agreed;
            },
          }),
      },
      ({ repaired, plan }) => ({
        repaired,
        forgotten: plan.forget ? repaired.length : 0,
        milliseconds: clock.now() - startedAt,
      }),
    );
  };
}

function viewOf({ salvaged, hopeless, whole, findings, forget }: SnapshotRepairPlan): SnapshotRepairView {
  return {
    salvaged: salvaged.map(({ snapshot, lost }) => ({
      point: snapshot.id,
      lost: lost.map((entry) => ({ ...entry, path: pathText(entry.path) })),
    })),
    hopeless: hopeless.map(({ id }) => id),
    whole,
    findings,
    forget,
  };
}
