import {
  type ForgetGroup as DecidedGroup,
  planForget as decideForget,
  forgetSnapshots,
  type KeepPolicy,
  type SnapshotGroupKey,
  type StoredSnapshot,
} from '@holdfast/engine';
import type {
  ForgetOutcome,
  ForgetRequest,
  KeepOptions,
  PlanForget,
} from '../../cli/commands/repo/forget.ts';
import type { Planned } from '../../cli/planned.ts';
import type { ForgetGroup, ForgetPlan } from '../../cli/render/forget-plan.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { chooseSnapshots } from '../snapshot-choice.ts';
import { pruneNow } from './prune.ts';

/**
 * The plan is made without a lock: snapshots never change, and one that comes later is not in it. Removing and pruning
 * each take their own.
 */
export function planForget(machine: AccessMachine): PlanForget {
  return async (access, request, work): Promise<Planned<ForgetPlan, ForgetOutcome>> => {
    const intent = request.dryRun === true ? 'read' : 'write';
    await using opening = new AsyncDisposableStack();
    const opened = opening.use(await openAccess(access, { intent, ...work }, machine));
    const { repository, signal } = opened;
    const chosen = await chooseSnapshots(repository, request.snapshots, request, signal);
    const groups = groupsOf(chosen, request, machine.clock.now());
    const ids = groups.flatMap((group) => group.remove.map(({ id }) => id));
    const open = opening.move();
    return {
      plan: { groups },
      async execute(running) {
        if (ids.length === 0) return { forgotten: 0 };
        const { clock } = machine;
        const removed = await forgetSnapshots(repository, ids, {
          clock,
          retryLockFor: access.retryLock,
          // Nothing comes back from what is removed at once.
          undoable: !(request.prune === true && request.instantDelete === true),
          signal,
        });
        if (request.prune !== true) return { forgotten: removed.length };
        const pruned = await pruneNow({ repository, access, machine, signal }, request, running);
        return { forgotten: removed.length, pruned };
      },
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  };
}

/** Points that were named are forgotten whatever else holds. */
function groupsOf(snapshots: readonly StoredSnapshot[], request: ForgetRequest, now: number): ForgetGroup[] {
  if (request.snapshots.length > 0) return [{ name: '', keep: [], remove: snapshots }];
  const { groupBy } = request;
  return decideForget(snapshots, policyOf(request), { now, groupBy }).map(
    ({ key, keep, remove }: DecidedGroup) => ({ name: nameOf(key), keep, remove }),
  );
}

function nameOf({ host, paths, tags }: SnapshotGroupKey): string {
  return [
    ...(host === undefined ? [] : [`host ${host}`]),
    ...(tags === undefined ? [] : [tags.length === 0 ? 'without tags' : `tags ${tags.join(', ')}`]),
    ...(paths === undefined ? [] : [`paths ${paths.join(', ')}`]),
  ].join(' · ');
}

function policyOf(options: KeepOptions): KeepPolicy {
  const count = given({
    last: options.keepLast,
    hourly: options.keepHourly,
    daily: options.keepDaily,
    weekly: options.keepWeekly,
    monthly: options.keepMonthly,
    yearly: options.keepYearly,
  });
  const within = given({
    last: options.keepWithin,
    hourly: options.keepWithinHourly,
    daily: options.keepWithinDaily,
    weekly: options.keepWithinWeekly,
    monthly: options.keepWithinMonthly,
    yearly: options.keepWithinYearly,
  });
  const limits = Object.entries(count).map(([period, number]) => [
    period,
    number === Number.POSITIVE_INFINITY ? 'unlimited' : number,
  ]);
  return { count: Object.fromEntries(limits), within, tags: options.keepTag ?? [] };
}

function given<Value>(values: Record<string, Value | undefined>): Record<string, Value> {
  const entries = Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
