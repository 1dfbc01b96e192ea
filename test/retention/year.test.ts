import { describe, expect, it } from 'vitest';
import type { OpenFinding, Point } from '../../app/src/catalog/records.ts';
import {
  hoursOf,
  MemorySteward,
  type SimulatedHour,
  type SimulatedYear,
  sourcesOf,
  yearOfPolicyA,
} from '../scenes/simulated-year.ts';
import { nightsBetween } from './oracle.ts';
import { HOUR, oracleFor } from './scenario.ts';

const DAY = 24 * HOUR;

interface Life {
  readonly simulated: SimulatedYear;
  readonly steward: MemorySteward;
  readonly hours: readonly LivedHour[];
}

interface LivedHour {
  readonly hour: SimulatedHour;
  /** When the hour's points had come, and when others had gone. */
  readonly before: readonly Point[];
  readonly after: readonly Point[];
  readonly findings: readonly OpenFinding[];
}

/** A source's year, hour by hour. */
function live(timezone: string, source: 'media' | 'metadata'): Life {
  const simulated = yearOfPolicyA(timezone);
  const steward = new MemorySteward(sourcesOf(simulated).find(({ name }) => name === source)!, simulated);
  const hours = hoursOf(simulated).map((hour): LivedHour => {
    const before = steward.live(hour);
    return { hour, before, after: steward.there, findings: steward.findings };
  });
  return { simulated, steward, hours: hours.toArray() };
}

/** What the oracle says of this hour, from what was there before. */
function expected({ before, hour, findings }: LivedHour, { steward }: Life): string[] {
  const { now, keepFor } = hour;
  const { timezone, source } = steward;
  const question = { points: before, rules: { for: keepFor }, holds: [], findings, now, timezone };
  return oracleFor(question, before, source.name);
}

function isUp(simulated: SimulatedYear, instant: number): boolean {
  return !simulated.troubles.some(
    ({ what, from, to }) => (what === 'machine' || what === 'sources') && from <= instant && instant < to,
  );
}

describe.each(['Europe/Berlin', 'Asia/Ho_Chi_Minh'])('a year of policy A in %s', (timezone) => {
  const lives = { media: live(timezone, 'media'), metadata: live(timezone, 'metadata') };

  it.each(['media', 'metadata'] as const)('keeps of %s, at every hour, what brute force keeps', (source) => {
    const life = lives[source];
    for (const lived of life.hours) {
      if (lived.hour.troubles.has('machine')) continue;
      const there = lived.after.map(({ snapshot }) => snapshot).sort();
      const wanted = expected(lived, life);
      if (there.join() !== wanted.join())
        expect({ ...lived.hour, there }).toEqual({ ...lived.hour, there: wanted });
    }
  });

  it('saves the files once a night, also when clocks change, and once for all nights that an outage has cost', () => {
    const { simulated, steward } = lives.media;
    const outage = simulated.troubles.find(({ what }) => what === 'machine')!;
    const nights = nightsBetween(simulated.from - DAY, simulated.to, timezone, HOUR);
    const wanted = nights.filter((night) => night > simulated.from && isUp(simulated, night));
    // The first is taken at once, and one makes up for the outage.
    expect(steward.taken).toEqual([simulated.from, ...wanted, outage.to].sort((a, b) => a - b));
    expect(steward.taken.length).toBeGreaterThan(340);
  });

  it.each(['media', 'metadata'] as const)('never loses the only good point of %s', (source) => {
    const ages = lives[source].hours.map(({ hour, after, findings }) => {
      const damaged = new Set(findings.flatMap(({ snapshots }) => snapshots));
      const good = after.filter(
        ({ kind, complete, snapshot }) => kind !== 'slice' && complete && !damaged.has(snapshot),
      );
      expect(good.length).toBeGreaterThan(0);
      return hour.now - good.at(-1)!.time;
    });
    // Troubles last longer than anything is kept: without that rule there would have been none.
    expect(Math.max(...ages)).toBeGreaterThan(7 * DAY);
  });
});
