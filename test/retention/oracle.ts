/*
 * What must be there, by brute force, from the two documents and from what a person expects of keep rules. It knows nothing
 * of how retention is decided: it imports nothing of it (a layer rule), asks Intl for the calendar instead of Temporal, and
 * looks at every moment of a window one by one instead of computing where it begins.
 */

export interface Taken {
  readonly id: string;
  readonly kind: 'whole' | 'journal' | 'evidence' | 'record';
  /** When it was begun. */
  readonly at: number;
  /** When it was finished, or the last moment that a piece of journal holds. */
  readonly end: number;
  /** Of a piece of journal: its first moment. */
  readonly begin?: number;
  readonly complete: boolean;
  readonly damaged: boolean;
}

export type Calendar = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

export interface Wish {
  readonly for?: number;
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
}

export interface Question {
  readonly there: readonly Taken[];
  readonly wish: Wish;
  /** Absent: records are for ever. */
  readonly recordWish?: Wish;
  /** Until when somebody has forbidden to remove anything; endless as Infinity. */
  readonly forbiddenUntil: readonly number[];
  /** Nobody can tell what is damaged. */
  readonly uncertain: boolean;
  /** Stretches of the journal without a gap; none: no gap at all. */
  readonly stretches: readonly { readonly from: number; readonly to: number }[];
  readonly now: number;
  readonly timezone: string;
  /** How finely every moment is looked at; every time in the question is a multiple of it. */
  readonly grain: number;
}

/**
 * A3: the snapshots of the files are kept so long, then removed, never earlier and never the only good one. A5, A6: so are
 * the database's, and any moment in the window can be restored. Ids of what must be there; all else must be gone.
 */
export function mustRemain(question: Question): Set<string> {
  const { there, now, wish, forbiddenUntil, uncertain } = question;
  const everything = new Set(there.map(({ id }) => id));
  const wishes = [wish, question.recordWish ?? { last: 1 }].map((one) => Object.values(one));
  const senseless = wishes.some(
    (numbers) => numbers.every((number) => number === 0) || numbers.some(isNonsense),
  );
  if (uncertain || senseless || forbiddenUntil.some((until) => until > now)) return everything;

  const remain = new Set<string>();
  for (const { id, at } of there) if (at > now) remain.add(id);
  const past = there.filter(({ at }) => at <= now);
  const wholes = past.filter(({ kind }) => kind === 'whole');

  const last = newestOfBest(wholes);
  const kept = new Set(byWish(wholes, wish, question));
  if (last !== undefined) kept.add(last);
  const from = wish.for === undefined ? Math.min(...[...kept].map(({ at }) => at)) : now - wish.for;

  const pieces = past.filter(({ kind }) => kind === 'journal');
  const sorted = newestFirst(wholes);
  const lastPiece = Math.max(...pieces.map(({ end }) => end));
  if (wholes.length === 0) for (const { id } of pieces) remain.add(id);
  for (const { id, end } of pieces) if (end >= from) remain.add(id);
  const older = pieces.filter(({ id }) => !remain.has(id));
  // Any moment of the window: its base, and every piece from there to the moment. Where nobody said how long, whatever is
  // kept can be rolled forward to any moment after it.
  for (
    let moment = from;
    pieces.length > 0 && wish.for !== undefined && moment <= now;
    moment += question.grain
  ) {
    const base = baseOf(moment, sorted, question);
    // What no journal follows is a point like any other.
    if (base === undefined || base.at > lastPiece) continue;
    kept.add(base);
    for (const piece of older) if (touches(piece, base.at, moment)) remain.add(piece.id);
  }
  // Whatever was finished within the window can be rolled forward, and so can the newest state of all, however old it is.
  for (const whole of kept) {
    if (whole !== last && whole.end <= from) continue;
    for (const piece of older) if (touches(piece, whole.at, now)) remain.add(piece.id);
  }

  for (const evidence of past.filter(({ kind }) => kind === 'evidence')) {
    const before = wholes.filter(({ at }) => at <= evidence.at);
    const owner = before.length > 0 ? newest(before) : oldest(wholes);
    if (owner === undefined || kept.has(owner)) remain.add(evidence.id);
  }
  const records = past.filter(({ kind }) => kind === 'record');
  const keptRecords =
    question.recordWish === undefined ? records : byWish(records, question.recordWish, question);
  const newestRecord = newest(records);
  for (const { id } of [...keptRecords, ...(newestRecord === undefined ? [] : [newestRecord])])
    remain.add(id);
  for (const { id } of kept) remain.add(id);
  return remain;
}

function isNonsense(number: number): boolean {
  return Number.isNaN(number) || number < 0;
}

function isGood({ complete, damaged }: Taken): boolean {
  return complete && !damaged;
}

/** The only good one is never removed; where there is none, the one with the least wrong. */
function newestOfBest(wholes: readonly Taken[]): Taken | undefined {
  const good = wholes.filter(isGood);
  if (good.length > 0) return newest(good);
  const undamaged = wholes.filter(({ damaged }) => !damaged);
  return newest(undamaged.length > 0 ? undamaged : wholes);
}

/** A moment in a gap has none. `sorted` newest first. */
function baseOf(moment: number, sorted: readonly Taken[], { stretches }: Question): Taken | undefined {
  const stretch = stretches.find(({ from, to }) => from <= moment && moment <= to);
  if (stretches.length > 0 && stretch === undefined) return undefined;
  const isFinished = ({ end }: Taken) => end <= moment;
  if (stretch === undefined)
    return sorted.find((one) => isFinished(one) && isGood(one)) ?? sorted.find(isFinished);
  const finished = sorted.filter(isFinished);
  const inIt = finished.filter(({ end }) => end >= stretch.from);
  return inIt.find(isGood) ?? inIt[0] ?? finished.find(isGood) ?? finished[0];
}

function touches(piece: Taken, from: number, to: number): boolean {
  return piece.end >= from && (piece.begin ?? piece.at) <= to;
}

function byWish(points: readonly Taken[], wish: Wish, { now, timezone }: Question): Taken[] {
  const kept: Taken[] = [];
  if (wish.for !== undefined) {
    // Seven days old to the millisecond is seven days kept.
    for (const point of points) if (now - point.end < wish.for) kept.push(point);
  }
  for (const period of ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const) {
    const wanted = wish[period];
    if (wanted === undefined) continue;
    let rest = points;
    let got = 0;
    while (rest.length > 0 && got < wanted) {
      const head = newest(rest);
      if (head === undefined) break;
      const name = nameOf(head, period, timezone);
      const same = rest.filter((point) => nameOf(point, period, timezone) === name);
      kept.push(newest(same.filter(isGood)) ?? head);
      rest = rest.filter((point) => !same.includes(point));
      got += 1;
    }
    const first = oldest(points);
    if (got < wanted && first !== undefined) kept.push(first);
  }
  return kept;
}

function newest(points: readonly Taken[]): Taken | undefined {
  return newestFirst(points)[0];
}

function oldest(points: readonly Taken[]): Taken | undefined {
  return newestFirst(points).at(-1);
}

function newestFirst(points: readonly Taken[]): Taken[] {
  return points.toSorted((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
}

/** What clocks in the zone show, as if it were UTC. */
export function wallClock(instant: number, timezone: string): Date {
  const known = WALLS.get(timezone) ?? new Map<number, Date>();
  WALLS.set(timezone, known);
  const date = known.get(instant) ?? read(instant, timezone);
  known.set(instant, date);
  return date;
}

const WALLS = new Map<string, Map<number, Date>>();
const FORMATS = new Map<string, Intl.DateTimeFormat>();

function read(instant: number, timeZone: string): Date {
  const format =
    FORMATS.get(timeZone) ??
    new Intl.DateTimeFormat('en-GB', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    });
  FORMATS.set(timeZone, format);
  const part = Object.fromEntries(
    format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second));
}

function nameOf({ at, id }: Taken, period: Calendar | 'last', timezone: string): string {
  const wall = wallClock(at, timezone);
  const shown = wall.toISOString();
  if (period === 'last') return id;
  // The same hour of the clock, and really the same hour: the clock moves as far as the time does.
  if (period === 'hourly') return `${shown.slice(0, 13)} ${wall.getTime() - Math.floor(at / 1000) * 1000}`;
  if (period === 'daily') return shown.slice(0, 10);
  if (period === 'monthly') return shown.slice(0, 7);
  if (period === 'yearly') return shown.slice(0, 4);
  // A week belongs to the year of its Thursday, and begins on Monday.
  const midnight = Date.parse(shown.slice(0, 10));
  const monday = midnight - ((wall.getUTCDay() + 6) % 7) * 86_400_000;
  return `${monday}`;
}

/** A2: one moment for each day that clocks show: 02:00, or the first later time if that never comes; `step` divides hours. */
export function nightsBetween(from: number, to: number, timezone: string, step: number): number[] {
  const nights = new Map<string, number>();
  for (let instant = from; instant <= to; instant += step) {
    const shown = wallClock(instant, timezone).toISOString();
    const day = shown.slice(0, 10);
    if (Number(shown.slice(11, 13)) >= 2 && !nights.has(day)) nights.set(day, instant);
  }
  // The first day has begun before `from`: whether its 02:00 has been cannot be seen.
  return [...nights.values()].slice(1);
}
