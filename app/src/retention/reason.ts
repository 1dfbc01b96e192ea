/** The periods of keep rules, from the shortest on. */
export const PERIODS = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Period = (typeof PERIODS)[number];

/** Why a point stays. Times are milliseconds since the epoch, durations milliseconds. */
export type Reason =
  /** Younger than `for`. */
  | { readonly kind: 'age'; readonly for: number }
  /** Stands for its hour, day, ISO week, … (`name`), or is the oldest while a count is not used up. */
  | { readonly kind: 'period'; readonly period: Period; readonly name: string; readonly oldest: boolean }
  /** The newest good one; where `good` is false the best there is, since none is known to be good. */
  | { readonly kind: 'newest'; readonly good: boolean }
  /** The base that any moment at the beginning of the kept window is restored from. */
  | { readonly kind: 'window base'; readonly begins: number }
  /** A piece of journal that a kept window, or the newest point, goes on with. */
  | { readonly kind: 'journal'; readonly since: number }
  | { readonly kind: 'evidence'; readonly of: string }
  | { readonly kind: 'hold'; readonly reason: string }
  /** Its clock was wrong; when its time has come it is judged like any other. */
  | { readonly kind: 'future' }
  /** Records have no rule, or retention was skipped, or what it belongs to is not known. */
  | { readonly kind: 'not judged' };

/** Why a point goes. */
export type RemovalReason = 'no rule keeps it' | 'before the kept window' | 'evidence of a point that goes';
