import type { RunKind } from '../catalog/records.ts';
import type { CopyPolicy, Policy, Schedule } from '../policy/model.ts';
import type { ScheduledWork } from '../schedule/due-runs.ts';

/** A kind of run that a policy asks for, by its schedule. */
export interface PolicyWork extends ScheduledWork {
  readonly kind: RunKind;
  /** Name of the source, repository or copy. */
  readonly about: string;
}

/** What a run has to do with: for the limits of what runs at once. */
export interface RunScope {
  readonly source?: string;
  readonly repositories: readonly string[];
  readonly priority: 'P1' | 'P2' | 'P3';
}

/** Pure: all that a policy wants done again and again. `handled`: name of the work → the moment dealt with last. */
export function worksOf(policy: Policy, handled: ReadonlyMap<string, number>): PolicyWork[] {
  const works: Omit<PolicyWork, 'name'>[] = [
    ...policy.sources.map(({ name, snapshot }) => {
      return { kind: 'snapshot', about: name, schedule: snapshot, firstSight: 'run' } as const;
    }),
    ...policy.copies.map((copy) => {
      const schedule = copySchedule(copy, policy);
      return { kind: 'copy', about: copy.name, schedule, firstSight: 'run' } as const;
    }),
    ...policy.copies.map(({ name }) => {
      return { kind: 'verify', about: name, schedule: DAILY, firstSight: 'wait' } as const;
    }),
    ...policy.repositories.flatMap(({ name, retention, check }) => {
      return [
        { kind: 'survey', about: name, schedule: HOURLY, firstSight: 'run' },
        { kind: 'retention', about: name, schedule: retention, firstSight: 'wait' },
        { kind: 'check', about: name, schedule: check, firstSight: 'wait' },
      ] as const;
    }),
  ];
  return works.map((work) => {
    const name = workName(work.kind, work.about);
    const at = handled.get(name);
    return { ...work, name, ...(at === undefined ? {} : { handled: at }) };
  });
}

export function workName(kind: RunKind, about: string): string {
  return `${kind} ${about}`;
}

/** Pure: the copies that a new snapshot of a source is to be carried by at once. */
export function copiesAfter(policy: Policy, source: string): CopyPolicy[] {
  const repository = policy.sources.find(({ name }) => name === source)?.repository;
  return policy.copies.filter(
    ({ after, from, sources }) =>
      after === 'each snapshot' && from === repository && sources.includes(source),
  );
}

/** Pure: what a run works on. */
export function scopeOf(policy: Policy, kind: RunKind, about: string): RunScope {
  if (kind === 'snapshot') {
    const source = policy.sources.find(({ name }) => name === about);
    return {
      source: about,
      repositories: source === undefined ? [] : [source.repository],
      priority: source?.priority ?? 'P2',
    };
  }
  if (kind === 'copy') {
    const copy = policy.copies.find(({ name }) => name === about);
    return { repositories: copy === undefined ? [] : [copy.from, copy.to], priority: 'P2' };
  }
  if (kind === 'verify') {
    const copy = policy.copies.find(({ name }) => name === about);
    return { repositories: copy === undefined ? [] : [copy.to], priority: 'P3' };
  }
  return { repositories: [about], priority: 'P3' };
}

/** What a journal adds between snapshots is carried twice in an RPO: as old as the interval, and half for the way. */
export function copySchedule({ after, sources }: CopyPolicy, policy: Policy): Schedule {
  if (after !== 'each snapshot') return after;
  const rpos = policy.sources.flatMap(({ name, journal, objective: { rpo } }) =>
    journal !== undefined && rpo !== undefined && sources.includes(name) ? [rpo] : [],
  );
  if (rpos.length === 0) return NEVER;
  const interval = Math.max(SHORTEST_INTERVAL, Math.floor(Math.min(...rpos) / 2));
  return { when: { kind: 'every', interval }, jitter: 0, missed: 'once' };
}

const HOUR_MS = 3_600_000;
const SHORTEST_INTERVAL = 1000;
const NEVER: Schedule = { when: { kind: 'never' }, jitter: 0, missed: 'skip' };
const HOURLY: Schedule = { when: { kind: 'every', interval: HOUR_MS }, jitter: HOUR_MS / 4, missed: 'once' };
const DAILY: Schedule = { when: { kind: 'every', interval: 24 * HOUR_MS }, jitter: HOUR_MS, missed: 'once' };
