import type { StoredSnapshot } from '../format/types.ts';
import {
  type CalendarDuration,
  formatCalendarDuration,
  isZero,
  subtractCalendarDuration,
} from './calendar-duration.ts';
import { checkKeepPolicy, type KeepPolicy, PERIODS, type Period } from './keep-policy.ts';
import {
  type Grouping,
  groupSnapshots,
  type SnapshotGroup,
  type SnapshotGroupKey,
} from './snapshot-group.ts';
import { momentOf, type SnapshotMoment } from './snapshot-moment.ts';

export interface ForgetOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** restic's default: host and paths. */
  readonly groupBy?: readonly Grouping[];
  /** Let the policy remove a group's newest snapshot as well, and so perhaps its last. */
  readonly allowRemovingNewest?: boolean;
}

export interface KeptSnapshot {
  readonly snapshot: StoredSnapshot;
  /** At least one: `last snapshot`, `daily snapshot`, `within 7d`, `has tags [release]`, `newest snapshot`, … */
  readonly reasons: readonly string[];
}

/** What forget does with the snapshots of one group; both lists newest first. */
export interface ForgetGroup {
  readonly key: SnapshotGroupKey;
  readonly keep: readonly KeptSnapshot[];
  readonly remove: readonly StoredSnapshot[];
}

/**
 * Decides which snapshots stay, and why, as restic does (doc/060_forget.rst): a snapshot's hour, day, ISO week, … are
 * those of the clock it was taken by; the newest of a period stands for it; durations count back from the group's
 * newest snapshot that is not in the future; while a count is not used up, the oldest snapshot is kept as well.
 *
 * Two things restic does not promise: a policy that keeps nothing fails with `usage`, and the newest snapshot of a
 * group stays unless `allowRemovingNewest` says otherwise. Since one that a wrong clock dated into the future would
 * stand in the way of that, the newest of the past is protected beside it.
 */
export function planForget(
  snapshots: readonly StoredSnapshot[],
  policy: KeepPolicy,
  options: ForgetOptions,
): ForgetGroup[] {
  checkKeepPolicy(policy);
  return groupSnapshots(snapshots, options.groupBy).map((group) => planGroup(group, policy, options));
}

interface Candidate {
  readonly snapshot: StoredSnapshot;
  readonly moment: SnapshotMoment;
  readonly isOldest: boolean;
}

/** Called for each snapshot of a group, newest first; answers why this rule keeps it, if it does. */
type Rule = (candidate: Candidate) => string | undefined;

function planGroup(group: SnapshotGroup, policy: KeepPolicy, options: ForgetOptions): ForgetGroup {
  const candidates = newestFirst(group.snapshots);
  const now = BigInt(Math.floor(options.now)) * 1_000_000n;
  const newestOfPast = candidates.find(({ moment }) => moment.nanoseconds < now);
  const rules = rulesOf(policy, newestOfPast?.moment);

  const keep: KeptSnapshot[] = [];
  const remove: StoredSnapshot[] = [];
  for (const candidate of candidates) {
    const reasons = rules.map((rule) => rule(candidate)).filter((reason) => reason !== undefined);
    const isNewest = candidate === candidates[0] || candidate === newestOfPast;
    if (reasons.length === 0 && isNewest && options.allowRemovingNewest !== true)
      reasons.push('newest snapshot');
    if (reasons.length > 0) keep.push({ snapshot: candidate.snapshot, reasons });
    else remove.push(candidate.snapshot);
  }
  return { key: group.key, keep, remove };
}

/** Those of the same instant in the order of their ids, so that the decision does not hang on how they were listed. */
function newestFirst(snapshots: readonly StoredSnapshot[]): Candidate[] {
  const dated = snapshots.map((snapshot) => ({ snapshot, moment: momentOf(snapshot) }));
  dated.sort(
    (a, b) => compare(b.moment.nanoseconds, a.moment.nanoseconds) || compare(a.snapshot.id, b.snapshot.id),
  );
  return dated.map((entry, index) => ({ ...entry, isOldest: index === dated.length - 1 }));
}

function compare<T extends bigint | string>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function rulesOf(policy: KeepPolicy, newest: SnapshotMoment | undefined): Rule[] {
  const rules: Rule[] = (policy.tags ?? []).map(tagRule);
  for (const period of PERIODS) {
    const within = policy.within?.[period];
    if (within !== undefined && !isZero(within)) rules.push(withinRule(period, within, newest));
    const count = policy.count?.[period] ?? 0;
    if (count !== 0) rules.push(countRule(period, count === 'unlimited' ? Number.POSITIVE_INFINITY : count));
  }
  return rules;
}

function tagRule(tags: readonly string[]): Rule {
  if (tags.includes('')) return ({ snapshot }) => (snapshot.tags.length === 0 ? 'has no tags' : undefined);
  const reason = `has tags [${tags.join(', ')}]`;
  return ({ snapshot }) => (tags.every((tag) => snapshot.tags.includes(tag)) ? reason : undefined);
}

function countRule(period: Period, count: number): Rule {
  let left = count;
  const reasonFor = firstOfPeriod(period, `${period} snapshot`);
  return (candidate) => {
    if (left === 0) return undefined;
    const reason = reasonFor(candidate);
    if (reason !== undefined) left -= 1;
    return reason;
  };
}

function withinRule(period: Period, within: CalendarDuration, newest: SnapshotMoment | undefined): Rule {
  const after = newest === undefined ? undefined : earlier(newest, within);
  const prefix = period === 'last' ? '' : `${period} `;
  const reasonFor = firstOfPeriod(period, `${prefix}within ${formatCalendarDuration(within)}`);
  return (candidate) =>
    after === undefined || candidate.moment.nanoseconds > after ? reasonFor(candidate) : undefined;
}

/** Keeps the newest of each period, and the oldest of all even when its period has its snapshot already. */
function firstOfPeriod(period: Period, reason: string): Rule {
  let previous: string | undefined;
  return ({ snapshot, moment, isOldest }) => {
    const current = period === 'last' ? snapshot.id : nameOfPeriod[period](moment.wall);
    if (current === previous) return isOldest ? `oldest ${reason}` : undefined;
    previous = current;
    return reason;
  };
}

const nameOfPeriod = {
  hourly: (wall: string) => wall.slice(0, 13),
  daily: (wall: string) => wall.slice(0, 10),
  weekly: (wall: string) => {
    const date = Temporal.PlainDate.from(wall);
    return `${date.yearOfWeek}-W${date.weekOfYear}`;
  },
  monthly: (wall: string) => wall.slice(0, 7),
  yearly: (wall: string) => wall.slice(0, 4),
};

/** In nanoseconds since the epoch; undefined when the calendar does not reach back that far. */
function earlier(moment: SnapshotMoment, duration: CalendarDuration): bigint | undefined {
  const wall = subtractCalendarDuration(moment.wallMilliseconds, duration);
  if (wall === undefined) return undefined;
  return moment.nanoseconds - BigInt(moment.wallMilliseconds - wall) * 1_000_000n;
}
