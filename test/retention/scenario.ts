import type { OpenFinding, Point, RecoveryWindow } from '../../app/src/catalog/records.ts';
import type { KeepRules, LegalHold } from '../../app/src/policy/model.ts';
import type { RetentionInput } from '../../app/src/retention/retention-input.ts';
import { mustRemain, type Taken } from './oracle.ts';

export const HOUR = 3_600_000;

/** Numbers that look random and are the same every time: mulberry32. */
export function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

/**
 * A few days of a source, all times whole hours, so that what must not be mixed up by one often falls together: bases that
 * take an hour or none, pieces of journal with a gap, damage, doubts, holds, clocks that were wrong.
 */
export function scenario(seed: number): RetentionInput {
  const roll = dice(seed);
  const chance = (one: number) => roll(one) === 0;
  // The last days of a winter time, of a year, of a month and of nothing.
  const ends = ['2026-03-30T06:00Z', '2026-10-26T09:00Z', '2027-01-04T05:00Z', '2026-11-21T12:00Z'];
  const now = Date.parse(ends[roll(ends.length)]!);
  const hasJournal = chance(2);
  const spread = [8, 30, 80, 400, 9000][roll(5)]!;
  const points: Point[] = [];
  const add = (kind: Point['kind'], time: number, covers?: Point['covers']) => {
    const snapshot = `${kind} ${String(points.length).padStart(2, '0')}`;
    points.push({
      repository: 'main',
      snapshot,
      original: snapshot,
      source: 'metadata',
      kind,
      time,
      ...(covers === undefined ? {} : { covers }),
      bytes: 1,
      added: 1,
      complete: !chance(6),
    });
  };
  const moment = () => now + (2 - roll(spread)) * HOUR;
  const wholes = roll(9);
  for (let index = 0; index < wholes; index += 1) {
    const time = moment();
    const covers = { from: time, to: time + roll(3) * HOUR };
    add(hasJournal ? 'base' : 'snapshot', time, chance(3) ? covers : undefined);
  }
  if (hasJournal || chance(6)) {
    let end = now - roll(spread) * HOUR;
    for (let index = 0; index < 12; index += 1, end += (1 + roll(3)) * HOUR) {
      add('slice', end, chance(2) ? { from: end - HOUR, to: end } : undefined);
    }
  }
  for (let index = roll(4); index > 0; index -= 1) add('evidence', moment());
  for (let index = roll(4); index > 0; index -= 1) add('record', moment());
  const recordRules = chance(2) ? rules(roll) : undefined;
  const windows = windowsOf(points, roll);
  return {
    points,
    ...(windows === undefined ? {} : { windows }),
    rules: chance(20) ? SENSELESS[roll(SENSELESS.length)]! : rules(roll),
    ...(recordRules === undefined ? {} : { recordRules }),
    holds: chance(6) ? [hold(now, roll)] : [],
    findings: findings(points, roll),
    ...(chance(30) ? { doubt: 'the catalog is not complete' } : {}),
    now,
    timezone: ['Europe/Berlin', 'Asia/Ho_Chi_Minh', 'UTC'][roll(3)]!,
  };
}

const SENSELESS: readonly KeepRules[] = [
  { for: 0, daily: 0 },
  { for: Number.NaN, last: 1 },
  { for: -1, last: 1 },
];

function rules(roll: (sides: number) => number): KeepRules {
  const counts = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
  const period = counts[roll(counts.length)]!;
  const age = { for: [1, 3, 8, 24, 72][roll(5)]! * HOUR };
  const count = { [period]: 1 + roll(4), ...(roll(3) === 0 ? { daily: roll(3) } : {}) };
  return [age, count, { ...age, ...count }][roll(3)]!;
}

function hold(now: number, roll: (sides: number) => number): LegalHold {
  return roll(3) === 0 ? { reason: 'a court' } : { reason: 'a court', until: now + (1 - roll(3)) * HOUR };
}

/** One or two stretches that begin where a base ends. */
function windowsOf(points: readonly Point[], roll: (sides: number) => number): RecoveryWindow[] | undefined {
  if (roll(2) === 0) return undefined;
  const begins = points.filter(({ kind }) => kind === 'base').map(({ covers, time }) => covers?.to ?? time);
  const chosen = begins.filter(() => roll(2) === 0).sort((a, b) => a - b);
  return chosen.map((from, index) => {
    const limit = (chosen[index + 1] ?? from + 40 * HOUR) - HOUR;
    return {
      repository: 'main',
      source: 'metadata',
      from,
      to: Math.max(from, Math.min(limit, from + roll(40) * HOUR)),
    };
  });
}

function findings(points: readonly Point[], roll: (sides: number) => number): OpenFinding[] {
  return Array.from({ length: roll(3) }, (): OpenFinding => {
    const elsewhere = roll(6);
    const snapshots = points.filter(() => roll(4) === 0).map(({ snapshot }) => snapshot);
    return {
      repository: elsewhere === 1 ? 'offsite' : 'main',
      ...(elsewhere === 2 ? { source: 'media' } : elsewhere === 3 ? { source: 'metadata' } : {}),
      severity: (['error', 'warning', 'note'] as const)[roll(3)]!,
      code: 'pack.blob-damaged',
      subject: 'pack 1a2b3c4d',
      message: 'a blob is damaged',
      snapshots: roll(12) === 0 ? [] : snapshots,
      foundAt: 0,
      seenAt: 0,
    };
  });
}

/** The oracle's answer to the same question: ids, sorted. */
export function oracleFor(
  input: RetentionInput,
  there: readonly Point[] = input.points,
  name = 'metadata',
): string[] {
  const ours = input.findings.filter(
    ({ repository, source }) => repository === 'main' && (source === undefined || source === name),
  );
  const damaged = new Set(
    ours.filter(({ severity }) => severity !== 'note').flatMap(({ snapshots }) => snapshots),
  );
  const uncertain =
    there.length > 0 &&
    ours.some(({ severity, snapshots }) => severity === 'error' && snapshots.length === 0);
  const remain = mustRemain({
    there: there.map((point) => takenOf(point, damaged)),
    wish: input.rules,
    ...(input.recordRules === undefined ? {} : { recordWish: input.recordRules }),
    forbiddenUntil: input.holds.map(({ until }) => until ?? Number.POSITIVE_INFINITY),
    uncertain: uncertain || input.doubt !== undefined,
    stretches: input.windows ?? [],
    now: input.now,
    timezone: input.timezone,
    grain: HOUR,
  });
  return [...remain].sort();
}

function takenOf(
  { snapshot: id, kind, time: at, covers, complete }: Point,
  damaged: ReadonlySet<string>,
): Taken {
  return {
    id,
    kind: kind === 'slice' ? 'journal' : kind === 'snapshot' || kind === 'base' ? 'whole' : kind,
    at,
    end: covers?.to ?? at,
    ...(kind === 'slice' ? { begin: covers?.from ?? at } : {}),
    complete,
    damaged: damaged.has(id),
  };
}
