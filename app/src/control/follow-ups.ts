import type { Run, RunKind } from '../catalog/records.ts';
import type { Policy } from '../policy/model.ts';
import { backoff } from '../schedule/backoff.ts';
import { copiesAfter, copySchedule } from './policy-works.ts';

/** A run that is to be queued because of another one. */
export interface FollowUp {
  readonly kind: RunKind;
  readonly about: string;
  readonly cause: 'retry' | 'after snapshot';
  readonly dueAt: number;
  readonly notBefore: number;
  readonly attempt: number;
}

/**
 * Pure: what follows from how the last runs ended. It is told from the history alone and asked for at every tick, so that
 * nothing is lost when whoever finished a run died before anything could follow from it.
 */
export function followUps(policy: Policy, last: readonly Run[]): FollowUp[] {
  const byName = new Map(last.map((run) => [`${run.kind} ${run.about}`, run]));
  const carried = policy.sources.flatMap(({ name, repository }) => {
    const snapshot = byName.get(`snapshot ${name}`);
    if (snapshot?.endedAt === undefined || repository === undefined || !isDone(snapshot)) return [];
    const { endedAt } = snapshot;
    return copiesAfter(policy, name).flatMap((copy) => {
      const before = byName.get(`copy ${copy.name}`);
      // One that was queued after the end of the snapshot carries it, or is being tried again.
      if (before !== undefined && (isOpen(before) || before.queuedAt >= endedAt)) return [];
      return {
        kind: 'copy' as const,
        about: copy.name,
        cause: 'after snapshot' as const,
        dueAt: endedAt,
        notBefore: endedAt,
        attempt: 1,
      };
    });
  });
  return [
    ...new Map(carried.map((one) => [one.about, one])).values(),
    ...last.flatMap((run) => retryOf(policy, run)),
  ];
}

function retryOf(policy: Policy, run: Run): FollowUp[] {
  const { kind, about, state, endedAt, attempt, dueAt } = run;
  if (state !== 'failed' || endedAt === undefined) return [];
  const wait = backoff(attempt, retryRules(policy, kind, about));
  if (wait === undefined) return [];
  return [{ kind, about, cause: 'retry', dueAt, notBefore: endedAt + wait, attempt: attempt + 1 }];
}

function retryRules(policy: Policy, kind: RunKind, about: string): { limit: number; delay: number } {
  const source = kind === 'snapshot' ? policy.sources.find(({ name }) => name === about) : undefined;
  if (source !== undefined) return source.retry;
  // While a retry waits nothing else of it runs: it must not wait longer than the next one would have.
  const copy = kind === 'copy' ? policy.copies.find(({ name }) => name === about) : undefined;
  const when = copy === undefined ? undefined : copySchedule(copy, policy).when;
  if (when?.kind !== 'every') return USUAL_RETRY;
  return { ...USUAL_RETRY, delay: Math.min(USUAL_RETRY.delay, when.interval) };
}

function isDone({ state }: Run): boolean {
  return state === 'succeeded' || state === 'incomplete';
}

function isOpen({ state }: Run): boolean {
  return state === 'waiting' || state === 'running';
}

const USUAL_RETRY = { limit: 5, delay: 60_000 };
