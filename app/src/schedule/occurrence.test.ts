import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Schedule } from '../policy/model.ts';
import { nextOccurrence, occurrences, occurrencesBetween } from './occurrence.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;

function cron(expression: string, timezone = 'UTC'): Schedule {
  return { when: { kind: 'cron', expression, timezone }, jitter: 0, missed: 'once' };
}

function at(text: string): number {
  return Temporal.Instant.from(text).epochMilliseconds;
}

/** With the offset, so that an hour that comes twice can be told apart. */
function during(schedule: Schedule, from: string, to: string, zone: string): string[] {
  return occurrencesBetween(schedule, at(from), at(to)).map((instant) =>
    Temporal.Instant.fromEpochMilliseconds(instant)
      .toZonedDateTimeISO(zone)
      .toString({ timeZoneName: 'never', smallestUnit: 'minute' }),
  );
}

const BERLIN = 'Europe/Berlin';
const SPRING = ['2026-03-28T12:00Z', '2026-03-30T12:00Z'] as const;
const AUTUMN = ['2026-10-24T12:00Z', '2026-10-26T12:00Z'] as const;

describe('when clocks are put forward', () => {
  it('02:00 that never comes happens at the first moment after the gap', () => {
    expect(during(cron('0 2 * * *', BERLIN), ...SPRING, BERLIN)).toEqual([
      '2026-03-29T03:00+02:00',
      '2026-03-30T02:00+02:00',
    ]);
  });

  it('several times within the gap become one, and one with a time at its end', () => {
    expect(during(cron('*/20 2,3 * * *', BERLIN), SPRING[0], '2026-03-29T20:00Z', BERLIN)).toEqual([
      '2026-03-29T03:00+02:00',
      '2026-03-29T03:20+02:00',
      '2026-03-29T03:40+02:00',
    ]);
  });

  it('an hourly run happens each real hour', () => {
    expect(during(cron('30 * * * *', BERLIN), '2026-03-29T00:00Z', '2026-03-29T02:40Z', BERLIN)).toEqual([
      '2026-03-29T01:30+01:00',
      '2026-03-29T03:30+02:00',
      '2026-03-29T04:30+02:00',
    ]);
  });

  it('a day that an island left out altogether has its run at the beginning of the next', () => {
    const samoa = 'Pacific/Apia';
    expect(during(cron('0 2 * * *', samoa), '2011-12-29T00:00Z', '2011-12-31T00:00Z', samoa)).toEqual([
      '2011-12-29T02:00-10:00',
      '2011-12-31T00:00+14:00',
      '2011-12-31T02:00+14:00',
    ]);
  });
});

describe('when clocks are put back', () => {
  it('02:00 that comes twice happens once, the first time', () => {
    expect(during(cron('0 2 * * *', BERLIN), ...AUTUMN, BERLIN)).toEqual([
      '2026-10-25T02:00+02:00',
      '2026-10-26T02:00+01:00',
    ]);
    expect(during(cron('*/30 2 * * *', BERLIN), AUTUMN[0], '2026-10-25T12:00Z', BERLIN)).toEqual([
      '2026-10-25T02:00+02:00',
      '2026-10-25T02:30+02:00',
    ]);
  });

  it('an hourly run happens each real hour, in the doubled one twice', () => {
    expect(during(cron('0 * * * *', BERLIN), '2026-10-24T23:30Z', '2026-10-25T02:30Z', BERLIN)).toEqual([
      '2026-10-25T02:00+02:00',
      '2026-10-25T02:00+01:00',
      '2026-10-25T03:00+01:00',
    ]);
  });

  it('half an hour, as on Lord Howe Island, is told apart as well', () => {
    const island = 'Australia/Lord_Howe';
    expect(during(cron('45 1 * * *', island), '2026-04-04T00:00Z', '2026-04-05T10:00Z', island)).toEqual([
      '2026-04-05T01:45+11:00',
    ]);
    expect(during(cron('*/15 * * * *', island), '2026-04-04T14:25Z', '2026-04-04T15:20Z', island)).toEqual([
      '2026-04-05T01:30+11:00',
      '2026-04-05T01:45+11:00',
      '2026-04-05T01:30+10:30',
      '2026-04-05T01:45+10:30',
    ]);
  });
});

describe('a schedule', () => {
  it('in Ho Chi Minh City is never moved', () => {
    const zone = 'Asia/Ho_Chi_Minh';
    const year = occurrencesBetween(
      cron('0 2 * * *', zone),
      at('2025-12-31T19:00Z'),
      at('2026-12-31T19:00Z'),
    );
    expect(year).toHaveLength(365);
    expect(new Set(year.map((instant) => instant % DAY))).toEqual(new Set([19 * 3_600_000]));
  });

  it('of 29 February waits for years, even over 2100', () => {
    expect(nextOccurrence(cron('0 0 29 2 *'), at('2096-03-01T00:00Z'))).toBe(at('2104-02-29T00:00Z'));
  });

  it('of an interval is counted from the epoch, whenever it is looked at', () => {
    const every: Schedule = { when: { kind: 'every', interval: 5000 }, jitter: 0, missed: 'once' };
    expect(occurrencesBetween(every, 1000, 15_000)).toEqual([5000, 10_000, 15_000]);
    expect(nextOccurrence(every, 5000)).toBe(10_000);
  });

  it('that is never has no moments', () => {
    expect([...occurrences({ when: { kind: 'never' }, jitter: 0, missed: 'once' }, 0)]).toEqual([]);
  });

  /** What somebody would do by hand: look at the clock each minute. */
  it('agrees with who looks at the clock each minute, in any zone', () => {
    const field = (last: number, first = 0) =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min: first, max: last }).map(String),
        fc.integer({ min: 2, max: 9 }).map((step) => `*/${step}`),
      );
    const zone = fc.constantFrom(
      BERLIN,
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Ho_Chi_Minh',
      'UTC',
    );
    const day = fc.constantFrom(
      '2026-03-29',
      '2026-10-25',
      '2026-03-08',
      '2026-11-01',
      '2026-04-05',
      '2026-10-04',
    );
    fc.assert(
      fc.property(field(59), field(23), field(6), zone, day, (minute, hour, weekday, timezone, date) => {
        const begin = at(`${date}T00:00Z`) - DAY;
        const found = occurrencesBetween(
          cron(`${minute} ${hour} * * ${weekday}`, timezone),
          begin,
          begin + 3 * DAY,
        );
        expect(found).toEqual(byHand(minute, hour, weekday, timezone, begin, begin + 3 * DAY));
      }),
      { numRuns: 40 },
    );
  });
});

function byHand(minute: string, hour: string, weekday: string, timeZone: string, from: number, to: number) {
  const hits = (field: string, value: number) => {
    if (field === '*') return true;
    return field.startsWith('*/') ? value % Number(field.slice(2)) === 0 : value === Number(field);
  };
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const show = (instant: number): number => {
    const part = Object.fromEntries(
      clock.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
    );
    return Date.UTC(part['year']!, part['month']! - 1, part['day']!, part['hour']!, part['minute']!);
  };
  const matches = (wall: number) => {
    const date = new Date(wall);
    return (
      hits(minute, date.getUTCMinutes()) && hits(hour, date.getUTCHours()) && hits(weekday, date.getUTCDay())
    );
  };
  const found: number[] = [];
  const seen = new Set<number>();
  let last = show(from - DAY);
  for (let instant = from - DAY + MINUTE; instant <= to; instant += MINUTE) {
    const wall = show(instant);
    if (hour === '*') {
      if (matches(wall)) found.push(instant);
    } else {
      let happens = matches(wall) && !seen.has(wall);
      for (let skipped = last + MINUTE; skipped < wall; skipped += MINUTE) happens ||= matches(skipped);
      if (happens) found.push(instant);
    }
    seen.add(wall);
    last = wall;
  }
  return found.filter((instant) => instant > from);
}
