import type { Point } from '../catalog/records.ts';
import type { KeepRules } from '../policy/model.ts';
import { endOf } from './good-point.ts';
import { PERIODS, type Period, type Reason } from './reason.ts';

export interface RuleContext {
  readonly now: number;
  readonly timezone: string;
  readonly isGood: (point: Point) => boolean;
}

export type Kept = readonly [Point, Reason];

/** Why these rules cannot be followed, if they cannot. Who keeps nothing made a mistake, and a NaN keeps nothing. */
export function refuseRules(rules: KeepRules): string | undefined {
  const numbers = Object.values(rules);
  if (numbers.some((number) => !(number >= 0))) {
    return 'a number of points to keep, or a duration, is negative or none';
  }
  return numbers.some((number) => number > 0) ? undefined : 'no rule says what to keep';
}

/**
 * What the rules keep. `for` keeps all that is younger, a base counted from its end. A count keeps one for each of the newest n hours, days, ISO weeks,
 * … that have any: the newest good one, so that a damaged night does not cost its day; and like restic, while a count is
 * not used up, the oldest of all, from which the longer periods grow.
 */
export function keptByRules(newestFirst: readonly Point[], rules: KeepRules, context: RuleContext): Kept[] {
  return [
    ...keptByAge(newestFirst, rules.for, context),
    ...PERIODS.flatMap((period) => keptByCount(newestFirst, period, rules[period], context)),
  ];
}

function keptByAge(points: readonly Point[], duration: number | undefined, { now }: RuleContext): Kept[] {
  if (duration === undefined) return [];
  const young = points.filter((point) => now < endOf(point) + duration);
  return young.map((point) => [point, { kind: 'age', for: duration }]);
}

function keptByCount(
  newestFirst: readonly Point[],
  period: Period,
  count: number | undefined,
  { timezone, isGood }: RuleContext,
): Kept[] {
  if (count === undefined) return [];
  const periods = Map.groupBy(newestFirst, (point) => nameOfPeriod(period, point, timezone));
  const kept = [...periods].slice(0, count).flatMap(([name, members]): Kept[] => {
    const point = members.find(isGood) ?? members[0];
    return point === undefined ? [] : [[point, { kind: 'period', period, name, oldest: false }]];
  });
  const oldest = newestFirst.at(-1);
  if (oldest === undefined || periods.size >= count || kept.some(([point]) => point === oldest)) return kept;
  const name = nameOfPeriod(period, oldest, timezone);
  return [...kept, [oldest, { kind: 'period', period, name, oldest: true }]];
}

/** A preview of years asks the same thousands of times, and the calendar takes its time to answer. */
const names = new WeakMap<Point, Map<string, string>>();

function nameOfPeriod(period: Period, point: Point, timezone: string): string {
  const ofPoint = names.getOrInsertComputed(point, () => new Map());
  return ofPoint.getOrInsertComputed(`${period} ${timezone}`, () => tellPeriod(period, point, timezone));
}

/** Names that differ exactly where the periods do. An hour that comes twice is two. */
function tellPeriod(period: Period, point: Point, timezone: string): string {
  if (period === 'last') return point.snapshot;
  const local = Temporal.Instant.fromEpochMilliseconds(point.time).toZonedDateTimeISO(timezone);
  const date = local.toPlainDate();
  switch (period) {
    case 'hourly':
      return `${date} ${local.hour}h${local.offset}`;
    case 'daily':
      return `${date}`;
    case 'weekly':
      return `${date.yearOfWeek}-W${date.weekOfYear}`;
    case 'monthly':
      return `${date.toPlainYearMonth()}`;
    case 'yearly':
      return `${date.year}`;
  }
}
