import { readLastRuns } from '../catalog/runs.ts';
import { readMarks, removeMarks, saveMarks } from '../catalog/schedule-marks.ts';
import type { Policy } from '../policy/model.ts';
import type { NewRun } from '../queue/new-run.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import { dueRuns } from '../schedule/due-runs.ts';
import type { Database } from '../state/session.ts';
import { followUps } from './follow-ups.ts';
import { scopeOf, worksOf } from './policy-works.ts';
import { planRun } from './run-plan.ts';

export interface TickParts {
  readonly database: Database;
  readonly queue: RunQueue;
  readonly policy: Policy;
  readonly now: number;
}

/** What a tick did, for the log. */
export interface TickReport {
  readonly queued: readonly Pick<NewRun, 'kind' | 'about' | 'cause' | 'notBefore'>[];
  readonly passedOver: readonly { readonly name: string; readonly why: string }[];
}

/**
 * Queues what is due. The mark that a moment of a schedule was dealt with, and the run that deals with it, are one
 * transaction: killed in between, neither is there, and the next tick finds it due again.
 */
export async function tick({ database, queue, policy, now }: TickParts): Promise<TickReport> {
  const marks = await readMarks(database);
  const works = worksOf(policy, marks);
  const decision = dueRuns(works, now);
  const last = await readLastRuns(database, works);
  const wanted = [
    ...decision.due.flatMap(({ name, cause, dueAt }) => {
      const work = works.find((one) => one.name === name);
      return work === undefined ? [] : { ...work, cause, dueAt, notBefore: now, attempt: 1 };
    }),
    ...followUps(policy, last),
  ].map((wish) => newRun(policy, wish));
  if (wanted.length === 0 && decision.handled.length === 0) return { queued: [], passedOver: [] };
  const queued: NewRun[] = [];
  await database.transaction(async (session) => {
    for (const run of wanted) {
      if ((await queue.enqueueIn(session, run)) !== 'already there') queued.push(run);
    }
    const turnedBack = decision.handled.filter(({ name, at }) => at < (marks.get(name) ?? at));
    await removeMarks(
      session,
      turnedBack.map(({ name }) => name),
    );
    await saveMarks(session, new Map(decision.handled.map(({ name, at }) => [name, at])));
  });
  return { queued, passedOver: decision.passedOver };
}

type Wish = Pick<NewRun, 'kind' | 'about' | 'cause' | 'dueAt' | 'attempt'> & { readonly notBefore: number };

/** Pure: a run with its steps as the policy has them now. */
export function newRun(policy: Policy, { kind, about, cause, dueAt, notBefore, attempt }: Wish): NewRun {
  const { repositories, priority } = scopeOf(policy, kind, about);
  return {
    kind,
    about,
    cause,
    dueAt,
    notBefore,
    attempt,
    repositories,
    priority: PRIORITIES[priority],
    steps: planRun(kind, about, dueAt, policy),
  };
}

/** Higher goes first. */
export const PRIORITIES = { P1: 3, P2: 2, P3: 1 } as const;
