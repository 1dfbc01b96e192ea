import { Failure } from '../kernel/failure.ts';
import { type CalendarDuration, isZero } from './calendar-duration.ts';

/** How many to keep; 'unlimited' (restic also writes -1) keeps one for every period there is. */
export type KeepCount = number | 'unlimited';

/** How often a snapshot counts: every one, or the newest of each hour, day, ISO week, month, year. */
export const PERIODS = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Period = (typeof PERIODS)[number];

/** What forget keeps; a snapshot is kept when any part asks for it. restic's `--keep-*`. */
export interface KeepPolicy {
  /** The newest n of a period, as many periods back as have a snapshot. */
  readonly count?: Readonly<Partial<Record<Period, KeepCount>>>;
  /** Those of a period that are newer than the group's newest snapshot less a duration; `last`: all of them. */
  readonly within?: Readonly<Partial<Record<Period, CalendarDuration>>>;
  /** Those that have all tags of one of these lists; the tag '' stands for a snapshot without tags. */
  readonly tags?: readonly (readonly string[])[];
}

/** Reads a count as restic's options take it. Fails with `usage`. */
export function parseKeepCount(text: string): KeepCount {
  if (text === 'unlimited' || text === '-1') return 'unlimited';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Failure('usage', `"${text}" is no number of snapshots to keep.`, {
    hint: 'Give a whole number, or unlimited.',
  });
}

/**
 * Fails with `usage` when the policy keeps nothing, since that is a mistake and not a wish, or when a number in it
 * is none: a NaN compares false with everything, and would remove what it was to keep.
 */
export function checkKeepPolicy(policy: KeepPolicy): void {
  const counts = Object.values(policy.count ?? {});
  const durations = Object.values(policy.within ?? {});
  const numbers = [
    ...counts.filter((count) => count !== 'unlimited'),
    ...durations.flatMap((duration) => Object.values(duration)),
  ];
  if (!numbers.every((number) => Number.isInteger(number) && number >= 0)) {
    throw new Failure('usage', 'A number of snapshots to keep, or a duration, is negative or not whole.', {
      hint: 'Give whole numbers, or unlimited.',
    });
  }
  const keepsByCount = counts.some((count) => count !== 0);
  const keepsByTime = durations.some((duration) => !isZero(duration));
  if (!keepsByCount && !keepsByTime && (policy.tags ?? []).length === 0) {
    throw new Failure('usage', 'Nothing says which snapshots to keep, so none is removed.', {
      hint: 'Say what to keep, as in --keep-daily 7 --keep-weekly 5.',
    });
  }
}
