import type { Id } from '@holdfast/engine';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { heldSlices, mergeFiles, planRollUps, type RollUp, type SliceFacts } from './roll-up-plan.ts';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const slice = (time: number, level: SliceFacts['level'] = 'slice', names = [`at-${time}`]): SliceFacts => ({
  id: `${level}-${time}` as Id,
  level,
  time,
  names,
});

/** What is there after a plan was carried out. */
function carriedOut(slices: readonly SliceFacts[], plans: readonly RollUp[]): SliceFacts[] {
  const gone = new Set(plans.flatMap((plan) => plan.slices.filter((id) => id !== plan.kept)));
  const made = plans
    .filter((plan) => plan.kept === undefined)
    .map((plan) => {
      const members = slices.filter(({ id }) => plan.slices.includes(id));
      const names = mergeFiles(members.flatMap(({ names }) => names.map((name) => ({ name }))));
      const time = Math.max(...members.map((member) => member.time));
      return { ...slice(time, plan.level), names: names.map(({ name }) => name) };
    });
  return [...slices.filter(({ id }) => !gone.has(id)), ...made];
}

describe('a roll-up', () => {
  test('leaves the current hour as it is', () => {
    expect(planRollUps([slice(0), slice(5 * MINUTE)], 50 * MINUTE)).toEqual([]);
  });

  test('makes one of an hour that is over', () => {
    const slices = [slice(5 * MINUTE), slice(0), slice(HOUR)];
    expect(planRollUps(slices, HOUR)).toEqual([
      { level: 'hour', period: 0, slices: ['slice-0', 'slice-300000'] },
    ]);
  });

  test('makes one of a day that is over, of its hours and of what is left of its slices', () => {
    const slices = [slice(30 * MINUTE, 'hour'), slice(90 * MINUTE, 'hour'), slice(DAY - 1), slice(DAY)];
    expect(planRollUps(slices, DAY)).toEqual([
      { level: 'day', period: 0, slices: ['hour-1800000', 'hour-5400000', `slice-${DAY - 1}`] },
    ]);
  });

  test('killed before it could forget is not made again', () => {
    const slices = [slice(0), slice(MINUTE), slice(MINUTE, 'hour', ['at-0', `at-${MINUTE}`])];
    expect(planRollUps(slices, HOUR)).toMatchObject([{ level: 'hour', kept: `hour-${MINUTE}` }]);
  });

  test('that something came after is made again with it', () => {
    const slices = [slice(MINUTE, 'hour', ['at-0']), slice(2 * MINUTE)];
    const [plan] = planRollUps(slices, HOUR);
    expect(plan).toEqual({ level: 'hour', period: 0, slices: [`hour-${MINUTE}`, `slice-${2 * MINUTE}`] });
  });

  test('loses no file, keeps few slices, and has nothing left to do afterwards', () => {
    const times = fc.array(fc.nat(4 * DAY), { maxLength: 60 });
    fc.assert(
      fc.property(times, fc.nat(5 * DAY), (found, now) => {
        const slices = [...new Set(found)].map((time) => slice(time));
        const after = carriedOut(slices, planRollUps(slices, now));
        expect(after.flatMap(({ names }) => names).sort()).toEqual(
          slices.flatMap(({ names }) => names).sort(),
        );
        expect(planRollUps(after, now)).toEqual([]);
        const old = after.filter(({ time }) => Math.floor(time / DAY) < Math.floor(now / DAY));
        expect(old.length).toBeLessThanOrEqual(5);
      }),
    );
  });

  test('keeps the last of a partial file, until there is the whole one', () => {
    const files = [
      { name: '1.partial', of: 'first' },
      { name: '1.partial', of: 'second' },
      { name: '2.partial', of: 'second' },
      { name: '2', of: 'third' },
    ];
    expect(mergeFiles(files)).toEqual([files[1], files[3]]);
  });
});

describe('of slices that were copied beside their roll-ups', () => {
  test.each<[string, SliceFacts[], string[]]>([
    [
      'those that an hour holds are needless',
      [slice(1), slice(2), slice(2, 'hour', ['at-1', 'at-2'])],
      ['slice-2 in hour-2', 'slice-1 in hour-2'],
    ],
    ['one of which the roll-up lacks a file stays', [slice(1), slice(2, 'hour', ['at-2'])], []],
    ['one that is newer than the roll-up stays', [slice(3, 'slice', ['a']), slice(2, 'hour', ['a'])], []],
    [
      'one that another slice holds stays: its origin has both',
      [slice(1, 'slice', ['a']), slice(2, 'slice', ['a'])],
      [],
    ],
    [
      'a partial file is held by the whole one',
      [slice(1, 'slice', ['a.partial']), slice(2, 'hour', ['a'])],
      ['slice-1 in hour-2'],
    ],
    [
      'a whole file is not held by a partial one',
      [slice(1, 'slice', ['a']), slice(2, 'hour', ['a.partial'])],
      [],
    ],
    [
      'an hour that was rolled up again is needless',
      [slice(1, 'hour', ['a']), slice(2, 'hour', ['a', 'b'])],
      ['hour-1 in hour-2'],
    ],
    [
      'a day holds its hours, and no roll-up that is needless stands in',
      [slice(1, 'slice', ['a']), slice(1, 'hour', ['a']), slice(2, 'day', ['a', 'b'])],
      ['hour-1 in day-2', 'slice-1 in day-2'],
    ],
    ['an hour does not hold a day', [slice(2, 'day', ['a']), slice(2, 'hour', ['a', 'b'])], []],
  ])('%s', (_, slices, needless) => {
    expect(heldSlices(slices).map(({ id, by }) => `${id} in ${by}`)).toEqual(needless);
  });

  test('of two roll-ups that hold the same one stays', () => {
    const twins = [{ ...slice(1, 'hour', ['a']), id: 'other' as Id }, slice(1, 'hour', ['a'])];
    expect(heldSlices(twins)).toHaveLength(1);
  });

  test('every file of what goes is in what stays', () => {
    const level = fc.constantFrom('slice', 'hour', 'day' as const);
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'a.partial', 'b.partial'));
    const any = fc.tuple(fc.nat(9), level, names);
    fc.assert(
      fc.property(fc.array(any, { maxLength: 12 }), (found) => {
        const slices = found.map(([time, of, files], at) => ({
          ...slice(time, of as never, files),
          id: `${at}` as Id,
        }));
        const held = new Map(heldSlices(slices).map(({ id, by }) => [id, by]));
        for (const [id, by] of held) {
          expect(held.has(by)).toBe(false);
          const stays = slices.find((one) => one.id === by)?.names ?? [];
          for (const name of slices.find((one) => one.id === id)?.names ?? []) {
            expect(stays.includes(name) || stays.includes(name.replace('.partial', ''))).toBe(true);
          }
        }
      }),
    );
  });
});
