import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredSnapshot } from '../format/types.ts';
import { sha256Id } from '../kernel/hash.ts';
import { parseCalendarDuration } from './calendar-duration.ts';
import { type ForgetGroup, type ForgetOptions, planForget } from './forget-plan.ts';
import { type KeepPolicy, parseKeepCount } from './keep-policy.ts';
import { parseGrouping } from './snapshot-group.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');

function snapshot(time: string, fields: Partial<StoredSnapshot> = {}): StoredSnapshot {
  return {
    id: sha256Id(Buffer.from(`${time} ${JSON.stringify(fields)}`)),
    tree: sha256Id(Buffer.from('tree')),
    time,
    paths: ['/srv'],
    hostname: 'db-1',
    username: 'root',
    uid: 0,
    gid: 0,
    excludes: [],
    tags: [],
    ...fields,
  };
}

function plan(
  snapshots: readonly StoredSnapshot[],
  policy: KeepPolicy,
  options: Partial<ForgetOptions> = {},
) {
  return planForget(snapshots, policy, { now: NOW, ...options });
}

/** Time and reasons of what one group keeps. */
function kept(groups: readonly ForgetGroup[]): [string, string][] {
  expect(groups).toHaveLength(1);
  return groups.flatMap(({ keep }) =>
    keep.map(({ snapshot, reasons }) => [snapshot.time, reasons.join('; ')] as [string, string]),
  );
}

describe('which snapshots stay', () => {
  const week = [15, 16, 17, 18, 19, 20].flatMap((day) => [
    snapshot(`2026-11-${day}T09:00:00Z`),
    snapshot(`2026-11-${day}T21:00:00Z`),
  ]);

  it('the last n', () => {
    expect(kept(plan(week, { count: { last: 2 } }))).toEqual([
      ['2026-11-20T21:00:00Z', 'last snapshot'],
      ['2026-11-20T09:00:00Z', 'last snapshot'],
    ]);
  });

  it('the newest of each day, with every reason it is kept for', () => {
    expect(kept(plan(week, { count: { last: 1, daily: 3 } }))).toEqual([
      ['2026-11-20T21:00:00Z', 'last snapshot; daily snapshot'],
      ['2026-11-19T21:00:00Z', 'daily snapshot'],
      ['2026-11-18T21:00:00Z', 'daily snapshot'],
    ]);
  });

  it('the oldest as well while a count is not used up, so that history grows to what was asked for', () => {
    expect(kept(plan(week.slice(8), { count: { daily: 7 } }))).toEqual([
      ['2026-11-20T21:00:00Z', 'daily snapshot'],
      ['2026-11-19T21:00:00Z', 'daily snapshot'],
      ['2026-11-19T09:00:00Z', 'oldest daily snapshot'],
    ]);
  });

  it('one of every period there is, when the count is unlimited', () => {
    const daily = kept(plan(week, { count: { daily: 'unlimited' } })).map(([time]) => time);
    expect(daily).toHaveLength(7);
    expect(daily.at(-1)).toBe('2026-11-15T09:00:00Z');
  });

  it('the hours, days and years of the clock it was taken by, not of ours', () => {
    const saigon = [snapshot('2026-01-01T06:30:00+07:00'), snapshot('2025-12-31T23:30:00+07:00')];
    expect(kept(plan(saigon, { count: { yearly: 2 } }))).toEqual([
      ['2026-01-01T06:30:00+07:00', 'yearly snapshot'],
      ['2025-12-31T23:30:00+07:00', 'yearly snapshot'],
    ]);
    const utc = [
      snapshot('2025-12-31T23:30:00Z'),
      snapshot('2025-12-31T16:30:00Z'),
      snapshot('2025-12-31T15:30:00Z'),
    ];
    expect(kept(plan(utc, { count: { yearly: 1 } }))).toEqual([['2025-12-31T23:30:00Z', 'yearly snapshot']]);
  });

  it('weeks as ISO counts them: New Year may lie in the old year’s last one', () => {
    const turn = [
      snapshot('2027-01-04T00:00:00Z'),
      snapshot('2027-01-03T23:59:59Z'),
      snapshot('2026-12-28T00:00:00Z'),
    ];
    expect(kept(plan(turn, { count: { weekly: 2 } }))).toEqual([
      ['2027-01-04T00:00:00Z', 'weekly snapshot'],
      ['2027-01-03T23:59:59Z', 'weekly snapshot'],
    ]);
  });

  it('those newer than the newest less a duration, to the nanosecond', () => {
    const edge = [
      snapshot('2026-11-20T12:00:00.000000001Z'),
      snapshot('2026-11-13T12:00:00.000000002Z'),
      snapshot('2026-11-13T12:00:00.000000001Z'),
    ];
    expect(kept(plan(edge, { within: { last: parseCalendarDuration('7d') } }))).toEqual([
      ['2026-11-20T12:00:00.000000001Z', 'within 7d'],
      ['2026-11-13T12:00:00.000000002Z', 'within 7d'],
    ]);
  });

  it('those of a period within a duration', () => {
    expect(kept(plan(week, { within: { daily: parseCalendarDuration('2d') } }))).toEqual([
      ['2026-11-20T21:00:00Z', 'daily within 2d'],
      ['2026-11-19T21:00:00Z', 'daily within 2d'],
    ]);
  });

  it('all, when a duration reaches back further than the calendar', () => {
    expect(kept(plan(week, { within: { last: parseCalendarDuration('999999y') } }))).toHaveLength(
      week.length,
    );
  });

  it('those with all tags of a list, or with none when that is asked for', () => {
    const tagged = [
      snapshot('2026-11-20T12:00:00Z', { tags: ['release', 'eu'] }),
      snapshot('2026-11-19T12:00:00Z', { tags: ['release'] }),
      snapshot('2026-11-18T12:00:00Z'),
    ];
    expect(kept(plan(tagged, { tags: [['eu', 'release']] }))).toEqual([
      ['2026-11-20T12:00:00Z', 'has tags [eu, release]'],
    ]);
    expect(kept(plan(tagged, { tags: [['']] }, { allowRemovingNewest: true }))).toEqual([
      ['2026-11-18T12:00:00Z', 'has no tags'],
    ]);
  });
});

describe('what is never removed by mistake', () => {
  const both = [snapshot('2026-11-20T12:00:00Z'), snapshot('2026-11-19T12:00:00Z', { tags: ['x'] })];

  it('anything, when nothing says what to keep', () => {
    for (const policy of [
      {},
      { count: { daily: 0 } },
      { within: { last: parseCalendarDuration('0d') } },
      { tags: [] },
    ]) {
      expect(() => plan(both, policy)).toThrow(expect.objectContaining({ code: 'usage' }));
    }
  });

  it('anything, when a number in the policy is none', () => {
    for (const count of [Number.NaN, -2, 1.5]) {
      expect(() => plan(both, { count: { last: 1, daily: count } })).toThrow(
        expect.objectContaining({ code: 'usage' }),
      );
    }
  });

  it('the newest of a group, unless that is allowed explicitly', () => {
    expect(kept(plan(both, { tags: [['x']] }))).toEqual([
      ['2026-11-20T12:00:00Z', 'newest snapshot'],
      ['2026-11-19T12:00:00Z', 'has tags [x]'],
    ]);
    expect(kept(plan(both, { tags: [['y']] }))).toEqual([['2026-11-20T12:00:00Z', 'newest snapshot']]);
    expect(kept(plan(both, { tags: [['y']] }, { allowRemovingNewest: true }))).toEqual([]);
  });

  it('the newest of the past, when a wrong clock has dated another into the future', () => {
    const ahead = [snapshot('2030-01-01T00:00:00Z'), ...both];
    expect(kept(plan(ahead, { count: { last: 1 } }))).toEqual([
      ['2030-01-01T00:00:00Z', 'last snapshot'],
      ['2026-11-20T12:00:00Z', 'newest snapshot'],
    ]);
  });

  it('anything, when a snapshot’s time cannot be read', () => {
    const damaged = [snapshot('yesterday'), ...both];
    expect(() => plan(damaged, { count: { last: 1 } })).toThrow(
      expect.objectContaining({ code: 'repository.damaged' }),
    );
  });

  it('any snapshot twice, or none: every one is either kept or removed, and the newest is kept', () => {
    const time = fc
      .record({
        ms: fc.integer({ min: Date.parse('2022-01-01'), max: NOW }),
        zone: fc.constantFrom('Z', '+07:00', '-09:30'),
      })
      .map(({ ms, zone }) => new Date(ms).toISOString().replace('Z', zone));
    const snapshots = fc
      .uniqueArray(time, { minLength: 1, maxLength: 60 })
      .map((times) => times.map((at) => snapshot(at)));
    const count = fc.option(fc.oneof(fc.nat(9), fc.constant('unlimited' as const)), { nil: 0 });
    const policy = fc.record({
      last: count,
      hourly: count,
      daily: count,
      weekly: count,
      monthly: count,
      yearly: count,
    });
    fc.assert(
      fc.property(snapshots, policy, (all, counts) => {
        fc.pre(Object.values(counts).some((value) => value !== 0));
        const [group] = plan(all, { count: counts });
        const keptOnes = group?.keep.map((entry) => entry.snapshot) ?? [];
        const ids = [...keptOnes, ...(group?.remove ?? [])].map(({ id }) => id);
        expect(ids.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
        const newest = Math.max(...all.map((one) => Date.parse(one.time)));
        expect(keptOnes.some((one) => Date.parse(one.time) === newest)).toBe(true);
      }),
    );
  });
});

describe('groups', () => {
  const mixed = [
    snapshot('2026-11-20T12:00:00Z', { hostname: 'b', paths: ['/b', '/a'], tags: ['t2', 't1'] }),
    snapshot('2026-11-19T12:00:00Z', { hostname: 'b', paths: ['/a', '/b'], tags: ['t1', 't2'] }),
    snapshot('2026-11-18T12:00:00Z', { hostname: 'a', paths: ['/a', '/b'] }),
  ];

  it('are by host and paths, in whatever order the paths were given', () => {
    const groups = plan(mixed, { count: { last: 1 } });
    expect(groups.map(({ key }) => key)).toEqual([
      { host: 'a', paths: ['/a', '/b'] },
      { host: 'b', paths: ['/a', '/b'] },
    ]);
    expect(groups.map(({ remove }) => remove.length)).toEqual([0, 1]);
  });

  it('can be by tags, or one of all', () => {
    expect(
      plan(mixed, { count: { last: 1 } }, { groupBy: parseGrouping('tags') }).map(({ key }) => key),
    ).toEqual([{ tags: ['t1', 't2'] }, { tags: [] }]);
    expect(plan(mixed, { count: { last: 1 } }, { groupBy: parseGrouping('') }).map(({ key }) => key)).toEqual(
      [{}],
    );
  });

  it('are read in restic’s notation', () => {
    expect(parseGrouping('hosts,path,tag')).toEqual(['host', 'paths', 'tags']);
    expect(() => parseGrouping('host,color')).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

it('counts are read in restic’s notation', () => {
  expect([
    parseKeepCount('7'),
    parseKeepCount('0'),
    parseKeepCount('-1'),
    parseKeepCount('unlimited'),
  ]).toEqual([7, 0, 'unlimited', 'unlimited']);
  for (const text of ['', 'all', '-2', '1.5']) {
    expect(() => parseKeepCount(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  }
});
