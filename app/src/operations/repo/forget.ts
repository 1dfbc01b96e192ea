import {
  type ForgetGroup as DecidedGroup,
  type KeepPolicy,
  planForget as decideForget,
  type Repository,
  type SnapshotGroupKey,
  type StoredSnapshot,
} from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { ForgetOutcome, ForgetRequest, KeepOptions, PlanForget } from '../../cli/commands/repo/forget.ts';
import type { Planned } from '../../cli/planned.ts';
import type { ForgetGroup, ForgetPlan } from '../../cli/render/forget-plan.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { chooseSnapshots } from '../snapshot-choice.ts';

/** Decides under the lock that the execution holds: what is printed is what happens. */
export function planForget(machine: AccessMachine): PlanForget {
  return async (access, request, work): Promise<Planned<ForgetPlan, ForgetOutcome>> => {
    const intent = request.dryRun === true ? 'read' : 'remove';
    await using opening = new AsyncDisposableStack();
    const opened = opening.use(await openAccess(access, { intent, signal: work.signal }, machine));
    const { repository, signal } = opened;
    const chosen = await chooseSnapshots(repository, request.snapshots, request, signal);
    const groups = groupsOf(chosen, request, machine.clock.now());
    const open = opening.move();
    return {
      plan: { groups },
      execute: (running) => forget(repository, groups.flatMap((group) => group.remove), signal, running),
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  };
}

/** One after another: whatever interrupts it, each snapshot is either whole or gone. */
async function forget(
  repository: Repository,
  snapshots: readonly StoredSnapshot[],
  signal: AbortSignal,
  { progress }: Work,
): Promise<ForgetOutcome> {
  for (const { id } of snapshots) {
    await repository.backend.remove({ type: 'snapshot', name: id }, signal);
  }
  return { forgotten: snapshots.length };
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
  const entries = Object.entries(values).filter(
    (entry): entry is [string, Value] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries);
}
