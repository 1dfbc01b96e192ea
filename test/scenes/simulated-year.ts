import type { OpenFinding, Point } from '../../app/src/catalog/records.ts';
import type { Schedule } from '../../app/src/policy/model.ts';
import { decideRetention } from '../../app/src/retention/decide-retention.ts';
import { dueRuns, type ScheduledWork } from '../../app/src/schedule/due-runs.ts';

/*
 * A year of policy A: the files every day at 02:00 and the database every hour with every moment between, kept for some
 * days. `hoursOf` tells what happens, hour by hour; whoever carries the policy out is a steward. The one here keeps all in
 * memory and asks the real schedule and the real retention; a whole control plane can live through the same year.
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export interface SimulatedYear {
  readonly timezone: string;
  /** Whole hours. */
  readonly from: number;
  readonly to: number;
  readonly troubles: readonly Trouble[];
  /** How long points are kept, from when on; oldest first. */
  readonly keep: readonly { readonly from: number; readonly for: number }[];
}

export interface Trouble {
  /**
   * `machine`: Holdfast does not run. `sources`: they refuse. `unreadable`: snapshots are taken, not all of it could be read.
   * `damage`: all points of the last day are found to be damaged, and stay so until the end of it.
   */
  readonly what: 'machine' | 'sources' | 'unreadable' | 'damage';
  readonly from: number;
  readonly to: number;
}

export interface SimulatedHour {
  readonly now: number;
  readonly keepFor: number;
  readonly troubles: ReadonlySet<Trouble['what']>;
  /** A trouble began in this hour. */
  readonly begun: ReadonlySet<Trouble['what']>;
}

/** 2026 with both changes of clocks, a week of outage of each kind, worse and worse nights, and 7 days → 3 → 14. */
export function yearOfPolicyA(timezone: string): SimulatedYear {
  const from = Date.parse('2026-01-01T00:00Z');
  const day = (number: number) => from + number * DAY;
  return {
    timezone,
    from,
    to: day(365),
    troubles: [
      { what: 'sources', from: day(40) + 5 * HOUR, to: day(49) },
      { what: 'machine', from: day(120) + 3 * HOUR, to: day(127) + 11 * HOUR },
      { what: 'unreadable', from: day(160), to: day(171) },
      { what: 'damage', from: day(200), to: day(209) },
      { what: 'sources', from: day(296), to: day(299) },
    ],
    keep: [
      { from, for: 7 * DAY },
      { from: day(240), for: 3 * DAY },
      { from: day(270), for: 14 * DAY },
    ],
  };
}

export function* hoursOf(year: SimulatedYear): Generator<SimulatedHour, void> {
  for (let now = year.from; now <= year.to; now += HOUR) {
    const standing = year.troubles.filter(({ from, to }) => from <= now && now < to);
    yield {
      now,
      keepFor: year.keep.findLast(({ from }) => from <= now)?.for ?? 0,
      troubles: new Set(standing.map(({ what }) => what)),
      begun: new Set(standing.filter(({ from }) => from === now).map(({ what }) => what)),
    };
  }
}

/** A source of the simulation. */
export interface SimulatedSource {
  readonly name: 'media' | 'metadata';
  readonly kind: 'snapshot' | 'base';
  readonly schedule: Schedule;
  readonly hasJournal: boolean;
}

export function sourcesOf({ timezone }: SimulatedYear): SimulatedSource[] {
  const at = (expression: string): Schedule => ({
    when: { kind: 'cron', expression, timezone },
    jitter: 0,
    missed: 'once',
  });
  return [
    { name: 'media', kind: 'snapshot', schedule: at('0 2 * * *'), hasJournal: false },
    { name: 'metadata', kind: 'base', schedule: at('0 * * * *'), hasJournal: true },
  ];
}

/** Carries the policy out for one source, in memory. */
export class MemorySteward {
  readonly source: SimulatedSource;
  readonly timezone: string;
  /** What is there, in the order in which it came. */
  there: readonly Point[] = [];
  findings: readonly OpenFinding[] = [];
  /** Moments of all snapshots that were ever taken. */
  readonly taken: number[] = [];
  #handled: number | undefined;
  #journalEnd: number;

  constructor(source: SimulatedSource, year: SimulatedYear) {
    this.source = source;
    this.timezone = year.timezone;
    this.#journalEnd = year.from;
  }

  /** An hour of the control plane: what is due, then what can go. Answers what was there before anything went. */
  live(hour: SimulatedHour): readonly Point[] {
    const { now, troubles, begun } = hour;
    if (troubles.has('machine')) return this.there;
    const { name, schedule } = this.source;
    const handled = this.#handled === undefined ? {} : { handled: this.#handled };
    const work: ScheduledWork = { name, schedule, firstSight: 'run', ...handled };
    const decision = dueRuns([work], now);
    this.#handled = decision.handled[0]?.at ?? this.#handled;
    if (!troubles.has('sources')) this.#save(hour, decision.due.length);
    if (begun.has('damage')) this.findings = [damageOf(this.there.filter(({ time }) => time > now - DAY))];
    if (!troubles.has('damage')) this.findings = [];
    const before = this.there;
    const { kept } = decideRetention({
      points: before,
      rules: { for: hour.keepFor },
      holds: [],
      findings: this.findings,
      now,
      timezone: this.timezone,
    });
    const stays = new Set(kept.map(({ point }) => point));
    this.there = before.filter((point) => stays.has(point));
    return before;
  }

  #save({ now, troubles }: SimulatedHour, snapshots: number): void {
    const complete = !troubles.has('unreadable');
    for (let count = 0; count < snapshots; count += 1) {
      this.taken.push(now);
      this.#add({ kind: this.source.kind, time: now, complete });
    }
    if (!this.source.hasJournal) return;
    this.#add({ kind: 'slice', time: now, complete: true, covers: { from: this.#journalEnd, to: now } });
    this.#journalEnd = now;
  }

  #add(facts: Pick<Point, 'kind' | 'time' | 'complete' | 'covers'>): void {
    const snapshot = `${facts.kind} ${new Date(facts.time).toISOString()}`;
    const point = {
      repository: 'main',
      snapshot,
      original: snapshot,
      source: this.source.name,
      bytes: 1,
      added: 1,
    };
    this.there = [...this.there, { ...point, ...facts }];
  }
}

function damageOf(points: readonly Point[]): OpenFinding {
  return {
    repository: 'main',
    severity: 'error',
    code: 'pack.blob-damaged',
    subject: 'pack 1a2b3c4d',
    message: 'a blob is damaged',
    snapshots: points.map(({ snapshot }) => snapshot),
    foundAt: 0,
    seenAt: 0,
  };
}
