import { bringBack, Failure, type ForgottenSnapshot, listForgotten, selectSnapshot } from '@holdfast/engine';
import type { PlanUndo } from '../../cli/commands/repo/undo-forget.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';

/** The plan is made without a lock, and what is needed for it is looked at anew under the lock that brings it back. */
export function planUndo(machine: AccessMachine): PlanUndo {
  return async (access, request, work) => {
    await using opening = new AsyncDisposableStack();
    const intent = request.dryRun === true ? 'read' : 'write';
    const opened = opening.use(await openAccess(access, { intent, ...work }, machine));
    const { repository, signal } = opened;
    const chosen = choose(await listForgotten(repository, signal), request.snapshots);
    const open = opening.move();
    return {
      plan: { snapshots: chosen.map(({ snapshot }) => snapshot) },
      async execute() {
        const ids = chosen.map(({ snapshot }) => snapshot.id);
        const run = { clock: machine.clock, retryLockFor: access.retryLock, signal };
        return { broughtBack: (await bringBack(repository, ids, run)).length };
      },
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  };
}

/** Those that were named, or those of the last forgetting; `forgotten` comes with that first. */
function choose(forgotten: readonly ForgottenSnapshot[], named: readonly string[]): ForgottenSnapshot[] {
  const [last] = forgotten;
  if (last === undefined) {
    throw new Failure('snapshot.not-found', 'nothing was forgotten that could come back', {
      hint: 'What was forgotten can come back until a prune has freed its data, a day after one has marked them.',
    });
  }
  if (named.length === 0) return forgotten.filter(({ record }) => record === last.record);
  const snapshots = forgotten.map(({ snapshot }) => snapshot);
  const wanted = new Set(named.map((name) => selectSnapshot(snapshots, name).id));
  return forgotten.filter(({ snapshot }) => wanted.has(snapshot.id));
}
