import type { Schedule } from '../policy/model.ts';
import { jitterOf } from './jitter.ts';
import { nextOccurrence, occurrencesBetween } from './occurrence.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
/** A run that begins later than this was missed, not merely waited for. */
const LATE = 5 * MINUTE;
/** A clock that was turned back by no more is only waited for. */
const SMALL_STEP_BACK = 10 * MINUTE;
/** Beyond it the runs that an outage has cost are not counted any more. */
const LONGEST_COUNTED = 400 * DAY;

/** Something with a schedule, and what is remembered of it. */
export interface ScheduledWork {
  /** Stable and unique: `snapshot metadata`. Its jitter hangs on it. */
  readonly name: string;
  readonly schedule: Schedule;
  /** The moment of the schedule that was dealt with last; absent: it was never seen. */
  readonly handled?: number;
  /** What is done the first time that it is seen: a source has no point at all, a repository can wait. */
  readonly firstSight: 'run' | 'wait';
}

export interface DueRun {
  readonly name: string;
  readonly cause: 'schedule' | 'missed';
  /** The newest moment that it is for. */
  readonly dueAt: number;
  /** How many moments of the schedule it stands for. */
  readonly count: number;
  /** For people, where it is not simply its time. */
  readonly why?: string;
}

/** Moments that passed without a run, as the policy says or because a clock was wrong: for the log. */
export interface PassedOver {
  readonly name: string;
  readonly why: string;
}

export interface DueDecision {
  readonly due: readonly DueRun[];
  /** To be remembered as `handled`, with the runs in one transaction. Only what changes. */
  readonly handled: readonly { readonly name: string; readonly at: number }[];
  /** Nothing is left out without a word. */
  readonly passedOver: readonly PassedOver[];
  /** When something begins next, of what has a next time; with its jitter. */
  readonly next: readonly { readonly name: string; readonly at: number }[];
}

interface Verdict {
  readonly handled?: number;
  readonly due?: Omit<DueRun, 'name'>;
  readonly passedOver?: string;
}

/**
 * Pure: what is due at `now`, what is next, and what to remember.
 *
 * A new source is due at once: until its first point it is not protected at all, and waiting for 02:00 would leave it so
 * for a day. However many moments an outage or a suspended machine has cost, one run makes up for them: each of them
 * would have saved the same present. A clock that jumped forward looks the same and is treated the same. One that was
 * turned back by a little repeats nothing: the moments until `handled` were dealt with. Turned back by more, it was wrong
 * before, and waiting until it comes there again might take years: the schedule goes on from now.
 */
export function dueRuns(works: readonly ScheduledWork[], now: number): DueDecision {
  const due: DueRun[] = [];
  const handled: { name: string; at: number }[] = [];
  const passedOver: PassedOver[] = [];
  const next: { name: string; at: number }[] = [];
  for (const work of works) {
    if (work.schedule.when.kind === 'never') continue;
    const { name } = work;
    const jitter = jitterOf(name, work.schedule);
    const verdict = judge(work, now, jitter);
    if (verdict.due !== undefined) due.push({ name, ...verdict.due });
    if (verdict.handled !== undefined) handled.push({ name, at: verdict.handled });
    if (verdict.passedOver !== undefined) passedOver.push({ name, why: verdict.passedOver });
    const after = nextOccurrence(work.schedule, verdict.handled ?? work.handled ?? now);
    if (after !== undefined) next.push({ name, at: after + jitter });
  }
  return { due, handled, passedOver, next };
}

function judge({ schedule, handled, firstSight }: ScheduledWork, now: number, jitter: number): Verdict {
  if (handled === undefined) {
    if (firstSight === 'wait') return { handled: now };
    const why = 'it is new, and not protected before its first point';
    return { handled: now, due: { cause: 'schedule', dueAt: now, count: 1, why } };
  }
  if (handled > now) return turnedBack(schedule, handled, now);
  const from = Math.max(handled, now - LONGEST_COUNTED);
  const moments = occurrencesBetween(schedule, from, now - jitter);
  const dueAt = moments.at(-1);
  if (dueAt === undefined) return {};
  const isLate = now - (dueAt + jitter) > lateness(schedule, dueAt);
  const others = moments.length - 1;
  if (isLate && schedule.missed === 'skip') {
    return {
      handled: dueAt,
      passedOver: `${times(moments.length)} missed, and the policy does not make up for it`,
    };
  }
  if (isLate) return { handled: dueAt, due: { cause: 'missed', dueAt, count: moments.length } };
  if (others > 0 && schedule.missed === 'skip') {
    return {
      handled: dueAt,
      due: { cause: 'schedule', dueAt, count: 1 },
      passedOver: `${times(others)} missed, and the policy does not make up for it`,
    };
  }
  return { handled: dueAt, due: { cause: 'schedule', dueAt, count: moments.length } };
}

function turnedBack(schedule: Schedule, handled: number, now: number): Verdict {
  const following = nextOccurrence(schedule, handled) ?? Number.POSITIVE_INFINITY;
  if (handled - now <= Math.min(SMALL_STEP_BACK, (following - handled) / 2)) return {};
  return {
    handled: now,
    passedOver: 'the clock was turned back: its times go on from now, and some come twice',
  };
}

/** Half the way to the next moment, where that is sooner: a run each 5 s is late after 2.5 s. */
function lateness(schedule: Schedule, dueAt: number): number {
  const following = nextOccurrence(schedule, dueAt) ?? Number.POSITIVE_INFINITY;
  return Math.min(LATE, (following - dueAt) / 2);
}

function times(count: number): string {
  return count === 1 ? 'one time was' : `${count} times were`;
}
