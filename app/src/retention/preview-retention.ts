import type { Point } from '../catalog/records.ts';
import type { Schedule } from '../policy/model.ts';
import { occurrences } from '../schedule/occurrence.ts';
import {
  decideRetention,
  type KeptPoint,
  type RemovedPoint,
  type RetentionDecision,
} from './decide-retention.ts';
import { endOf } from './good-point.ts';
import type { RetentionInput } from './retention-input.ts';

/** A preview of years of an hourly schedule ends after so many steps. */
const MOST_STEPS = 5000;

export interface PreviewOptions {
  /** Milliseconds since the epoch, not before `now`. */
  readonly until: number;
  /** What is expected to be added until then; absent: nothing. */
  readonly schedule?: Schedule;
}

export interface RetentionPreview {
  /** Until when it was looked at: `until`, unless that is too far away for the schedule. */
  readonly at: number;
  /** What the rules keep then, and why. */
  readonly kept: readonly (KeptPoint & { readonly expected: boolean })[];
  /** What goes from now until then, and when at the earliest; oldest first. */
  readonly removed: readonly (RemovedPoint & { readonly expected: boolean; readonly at: number })[];
  readonly skipped?: RetentionDecision['skipped'];
}

/** When rules would remove a point, milliseconds since the epoch; absent: not as far as was looked. */
export interface Expiry {
  /** At the earliest: every expected point comes, and is good. */
  readonly withSchedule?: number;
  /** Nothing more comes. The newest good point never expires so. */
  readonly asItStands?: number;
}

/**
 * Pure: what will be kept on a day in the future, with the points that the schedule will have added by then. Every moment
 * at which a decision may change is decided in turn, and what went before does not come back.
 */
export function previewRetention(input: RetentionInput, options: PreviewOptions): RetentionPreview {
  const expected = expectedPoints(input, options);
  const isExpected = new Set(expected);
  const removed: RetentionPreview['removed'][number][] = [];
  let alive = [...input.points];
  let coming = expected;
  let at = input.now;
  let decision = decideRetention(input);
  for (const moment of turningPoints(input, expected, options.until)) {
    at = moment;
    alive.push(...coming.filter(({ time }) => time <= at));
    coming = coming.filter(({ time }) => time > at);
    decision = decideRetention({ ...input, points: alive, now: at });
    for (const entry of decision.removed)
      removed.push({ ...entry, expected: isExpected.has(entry.point), at: moment });
    alive = decision.kept.map(({ point }) => point);
  }
  const kept = decision.kept.map((entry) => ({ ...entry, expected: isExpected.has(entry.point) }));
  const { skipped } = decision;
  return { at, kept, removed, ...(skipped === undefined ? {} : { skipped }) };
}

/** When each point goes, by its snapshot's id; points that go now are in it with `now`. */
export function expiries(input: RetentionInput, options: PreviewOptions): Map<string, Expiry> {
  const { until } = options;
  const alone = goings(previewRetention(input, { until }));
  const accompanied = goings(previewRetention(input, options));
  return new Map(
    input.points.map(({ snapshot }) => {
      const asItStands = alone.get(snapshot);
      const withSchedule = accompanied.get(snapshot);
      return [
        snapshot,
        {
          ...(withSchedule === undefined ? {} : { withSchedule }),
          ...(asItStands === undefined ? {} : { asItStands }),
        },
      ];
    }),
  );
}

function goings({ removed }: RetentionPreview): Map<string, number> {
  return new Map(removed.map(({ point, at }) => [point.snapshot, at]));
}

/** The points that the schedule will add, like those that are there. */
function expectedPoints(input: RetentionInput, { schedule, until }: PreviewOptions): Point[] {
  const { points, now } = input;
  const model = points.find(({ kind }) => kind === 'snapshot' || kind === 'base');
  if (model === undefined || schedule === undefined) return [];
  const { covers: _, ...rest } = model;
  const expected: Point[] = [];
  for (const time of occurrences(schedule, now)) {
    if (time > until || expected.length >= MOST_STEPS) break;
    const name = `expected ${time}`;
    expected.push({ ...rest, time, snapshot: name, original: name, complete: true });
  }
  return expected;
}

/** `now`, and every moment until `until` at which another decision may be made; ascending. */
function turningPoints(input: RetentionInput, expected: readonly Point[], until: number): number[] {
  const { points, windows = [], rules, recordRules, holds, now } = input;
  // A slice and a window are good for their last moment still.
  const changes = [
    ...[...points, ...expected].flatMap((point) => [point.time, endOf(point), endOf(point) + 1]),
    ...windows.flatMap(({ from, to }) => [from, to + 1]),
  ];
  const durations = [rules.for, recordRules?.for].filter((duration) => duration !== undefined);
  const moments = [
    now,
    ...changes,
    ...durations.flatMap((duration) => changes.map((change) => change + duration)),
    ...holds.map((hold) => hold.until ?? until),
    until,
  ];
  const ahead = moments.filter((moment) => moment >= now && moment <= until);
  return [...new Set(ahead)].sort((a, b) => a - b).slice(0, MOST_STEPS);
}
