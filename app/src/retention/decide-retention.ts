import type { Point } from '../catalog/records.ts';
import { bestOf, damageWithoutPlace, isGood } from './good-point.ts';
import { keptForJournal } from './journal-need.ts';
import { type Kept, keptByRules, type RuleContext, refuseRules } from './keep-rules.ts';
import type { Reason, RemovalReason } from './reason.ts';
import type { RetentionInput } from './retention-input.ts';

export interface KeptPoint {
  readonly point: Point;
  /** At least one. */
  readonly reasons: readonly Reason[];
}

export interface RemovedPoint {
  readonly point: Point;
  readonly because: RemovalReason;
}

/** Both lists newest first; together they are the points that were handed in. */
export interface RetentionDecision {
  readonly kept: readonly KeptPoint[];
  readonly removed: readonly RemovedPoint[];
  /** Nothing was judged and nothing goes: something is wrong that somebody must hear of. */
  readonly skipped?: { readonly because: string };
}

/**
 * Pure: which points of a source stay in a repository and why, and which go. Whatever the rules are:
 *
 * - the newest good point stays, and the journal behind it; where none is good, the best there is;
 * - a base stays while a kept window is restored from it, and so does the journal since;
 * - under a legal hold everything stays;
 * - a point from the future (a clock was wrong) stays and counts for nothing, so that it costs no other its place;
 * - evidence goes with its point: the newest that was there when it was taken;
 * - in doubt nothing goes, and the decision says so.
 *
 * Without a `for` a journal reaches back as far as the oldest point that rules keep, from which it can be replayed.
 */
export function decideRetention(input: RetentionInput): RetentionDecision {
  const newestFirst = input.points.toSorted(
    (a, b) => b.time - a.time || a.snapshot.localeCompare(b.snapshot),
  );
  const because = doubtOf(input);
  if (because !== undefined) {
    const reasons: Reason[] = [{ kind: 'not judged' }];
    return { kept: newestFirst.map((point) => ({ point, reasons })), removed: [], skipped: { because } };
  }
  const reasons = Map.groupBy(allKept(newestFirst, input), ([point]) => point);
  const kept: KeptPoint[] = [];
  const removed: RemovedPoint[] = [];
  for (const point of newestFirst) {
    const why = reasons.get(point);
    if (why === undefined) removed.push({ point, because: removalOf(point) });
    else kept.push({ point, reasons: why.map(([, reason]) => reason) });
  }
  return { kept, removed };
}

function doubtOf({ doubt, rules, recordRules, points, findings }: RetentionInput): string | undefined {
  if (doubt !== undefined) return doubt;
  const wrong = refuseRules(rules) ?? (recordRules === undefined ? undefined : refuseRules(recordRules));
  if (wrong !== undefined) return wrong;
  const damage = damageWithoutPlace(points, findings);
  if (damage === undefined) return undefined;
  return `it is not known which points this touches: ${damage.message}`;
}

function allKept(newestFirst: readonly Point[], input: RetentionInput): Kept[] {
  const { now, timezone, rules, recordRules, findings, windows = [] } = input;
  const context: RuleContext = { now, timezone, isGood: (point) => isGood(point, findings) };
  const present = newestFirst.filter(({ time }) => time <= now);
  const restorable = present.filter(({ kind }) => kind === 'snapshot' || kind === 'base');
  const best = bestOf(restorable, findings);
  const byRules = [...keptByRules(restorable, rules, context), ...newest(best, context)];
  const byJournal = keptForJournal({
    restorable,
    kept: byRules.map(([point]) => point),
    best,
    slices: ofKind(present, 'slice'),
    windows,
    begins: rules.for === undefined ? undefined : now - rules.for,
    isGood: context.isGood,
  });
  const points = [...byRules, ...byJournal];
  const keptPoints = new Set(points.map(([point]) => point));
  return [
    ...held(newestFirst, input),
    ...newestFirst.filter(({ time }) => time > now).map((point): Kept => [point, { kind: 'future' }]),
    ...points,
    ...ofKind(present, 'evidence').flatMap((point) => keptWithPoint(point, restorable, keptPoints)),
    ...keptRecords(ofKind(present, 'record'), recordRules, context),
  ];
}

function newest(best: Point | undefined, { isGood }: RuleContext): Kept[] {
  return best === undefined ? [] : [[best, { kind: 'newest', good: isGood(best) }]];
}

function held(points: readonly Point[], { holds, now }: RetentionInput): Kept[] {
  const standing = holds.filter(({ until }) => until === undefined || now < until);
  return standing.flatMap(({ reason }) => points.map((point): Kept => [point, { kind: 'hold', reason }]));
}

function keptWithPoint(evidence: Point, restorable: readonly Point[], kept: ReadonlySet<Point>): Kept[] {
  const owner = restorable.find(({ time }) => time <= evidence.time) ?? restorable.at(-1);
  if (owner === undefined) return [[evidence, { kind: 'not judged' }]];
  return kept.has(owner) ? [[evidence, { kind: 'evidence', of: owner.snapshot }]] : [];
}

function keptRecords(
  records: readonly Point[],
  rules: RetentionInput['recordRules'],
  context: RuleContext,
): Kept[] {
  if (rules === undefined) return records.map((point) => [point, { kind: 'not judged' }]);
  return [...keptByRules(records, rules, context), ...newest(records[0], context)];
}

function ofKind(points: readonly Point[], wanted: Point['kind']): Point[] {
  return points.filter(({ kind }) => kind === wanted);
}

function removalOf({ kind }: Point): RemovalReason {
  if (kind === 'slice') return 'before the kept window';
  return kind === 'evidence' ? 'evidence of a point that goes' : 'no rule keeps it';
}
