import type { RunKind } from '../catalog/records.ts';
import type { Hook, Policy } from '../policy/model.ts';
import type { Task } from '../protect/task.ts';
import type { NewStep } from '../queue/new-run.ts';

/** What a step does: a worker's task, or one of a source's hooks. */
export type StepOrder =
  | { readonly kind: 'task'; readonly task: Task }
  | { readonly kind: 'hook'; readonly source: string; readonly hook: number };

/** A step with its order as we read it again. */
export type PlannedStep = NewStep & { readonly order: StepOrder };

/** Pure: the steps of a run. `dueAt` says which part of the data is its turn. */
export function planRun(kind: RunKind, about: string, dueAt: number, policy: Policy): PlannedStep[] {
  switch (kind) {
    case 'snapshot':
      return [
        ...hooks(policy, about, 'before'),
        step({ kind: 'snapshot', source: about }),
        ...hooks(policy, about, 'after'),
        ...hooks(policy, about, 'on failure'),
      ];
    case 'copy':
      return [step({ kind: 'copy', copy: about }), ...surveys(targetOf(policy, about))];
    case 'verify': {
      const everything = policy.copies.find(({ name }) => name === about)?.verify.everything ?? 0;
      return [step({ kind: 'verify', copy: about, ...partAt(dueAt, everything) })];
    }
    case 'retention':
      return [
        step({ kind: 'forget', repository: about }),
        step({ kind: 'prune', repository: about }),
        closing({ kind: 'record', repository: about }),
        ...surveys(about),
      ];
    case 'check': {
      const everything = policy.repositories.find(({ name }) => name === about)?.check.everything ?? 0;
      return [step({ kind: 'check', repository: about, ...partAt(dueAt, everything) })];
    }
    case 'survey':
      return [step({ kind: 'survey', repository: about })];
  }
}

/**
 * Pure: which part of the data is read at `dueAt`, so that with a check each day all of it is read in `everything`
 * milliseconds; `of: 0` where none is to be read. It follows from the time alone: nothing has to be remembered.
 */
export function partAt(dueAt: number, everything: number): { readonly part: number; readonly of: number } {
  if (everything <= 0) return { part: 0, of: 0 };
  const of = Math.max(1, Math.round(everything / DAY_MS));
  return { part: (Math.floor(dueAt / DAY_MS) % of) + 1, of };
}

function step(task: Task): PlannedStep {
  return {
    name: task.kind,
    order: { kind: 'task', task },
    runs: 'when all is well',
    once: false,
    decides: true,
  };
}

/** What comes after the work is done, and does not make it undone when it fails. */
function closing(task: Task): PlannedStep {
  return { ...step(task), decides: false };
}

/** Never begun a second time: whether an interrupted one had its effect, nobody knows. */
function hooks(policy: Policy, source: string, when: Hook['when']): PlannedStep[] {
  const all = policy.sources.find(({ name }) => name === source)?.hooks ?? [];
  return all.flatMap((hook, index) =>
    hook.when === when
      ? {
          name: `hook ${when} ${index + 1}`,
          order: { kind: 'hook' as const, source, hook: index },
          runs: when === 'on failure' ? ('after a failure' as const) : ('when all is well' as const),
          once: true,
          decides: when !== 'on failure' && hook.onError === 'stop',
        }
      : [],
  );
}

function surveys(repository: string | undefined): PlannedStep[] {
  return repository === undefined ? [] : [closing({ kind: 'survey', repository })];
}

function targetOf({ copies }: Policy, copy: string): string | undefined {
  return copies.find(({ name }) => name === copy)?.to;
}

const DAY_MS = 86_400_000;
