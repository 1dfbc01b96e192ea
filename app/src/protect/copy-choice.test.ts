import { describe, expect, test } from 'vitest';
import type { Point } from '../catalog/records.ts';
import type { KeepRules, LegalHold, Policy } from '../policy/model.ts';
import { DAY, HOUR, NOW, pointOf, shopPolicy } from '../testing/healthy-stack.ts';
import { type CopyMeeting, pointsToCarry, windowsCount } from './copy-choice.ts';

const at = (repository: string, ...days: number[]) =>
  days.map((ago) => pointOf(repository, 'media', NOW - ago * DAY));
const here = (...days: number[]) => at('main', ...days);
const there = (...days: number[]) => at('offsite', ...days);

function meeting(
  keep: KeepRules | undefined,
  points: Pick<CopyMeeting, 'here' | 'there'>,
  changes: Partial<CopyMeeting> & { readonly hold?: LegalHold } = {},
): CopyMeeting {
  const shop = shopPolicy();
  const { hold, ...others } = changes;
  const policy: Policy = {
    ...shop,
    sources: shop.sources.map((source) => (hold === undefined ? source : { ...source, hold })),
  };
  const [copy] = policy.copies;
  if (copy === undefined) throw new TypeError('the shop has a copy');
  return {
    policy,
    copy: keep === undefined ? copy : { ...copy, keep },
    windows: [],
    findings: [],
    now: NOW,
    ...points,
    ...others,
  };
}

/** How many days ago they were taken. */
function daysOf(points: readonly Point[]): number[] {
  return points.map(({ time }) => (NOW - time) / DAY);
}

const unplaced = {
  repository: 'offsite',
  severity: 'error',
  code: 'pack.missing',
  subject: 'pack',
  message: 'gone',
  snapshots: [],
  foundAt: 0,
  seenAt: 0,
} as const;

describe('a copy carries', () => {
  test.each<[string, CopyMeeting, number[]]>([
    ['what the rules of its target keep', meeting({ for: 2 * DAY }, { here: here(1, 2, 3), there: [] }), [1]],
    ['by the source’s own where it has none', meeting(undefined, { here: here(1, 6, 8), there: [] }), [1, 6]],
    ['nothing that is there', meeting({ last: 3 }, { here: here(1, 2), there: there(1, 2) }), []],
    [
      'nothing that was removed there for something that is there',
      meeting({ last: 2 }, { here: here(1, 2, 3), there: there(1, 2) }),
      [],
    ],
    [
      'what takes the place of something there',
      meeting({ last: 2 }, { here: here(1, 2, 3), there: there(2, 3) }),
      [1],
    ],
    ['the newest, however old it is', meeting({ for: DAY }, { here: here(40, 50), there: [] }), [40]],
    [
      'nothing old while something newer is there',
      meeting({ for: DAY }, { here: here(40), there: there(30) }),
      [],
    ],
    [
      'all of it under a legal hold',
      meeting({ last: 1 }, { here: here(1, 2, 3), there: [] }, { hold: { reason: 'case 12' } }),
      [1, 2, 3],
    ],
    [
      'all of it when damage is known and not where',
      meeting({ last: 1 }, { here: here(1, 2), there: there(3) }, { findings: [unplaced] }),
      [1, 2],
    ],
    [
      'a good one instead of a damaged one',
      meeting(
        { daily: 1 },
        { here: [...here(0.1), ...here(0.15)], there: [] },
        { findings: [{ ...unplaced, repository: 'main', snapshots: [here(0.1)[0]?.snapshot ?? ''] }] },
      ),
      [0.15],
    ],
    ['nothing of no points', meeting({ last: 1 }, { here: [], there: [] }), []],
  ])('%s', (_, given, days) => {
    expect(daysOf(pointsToCarry(given))).toEqual(days);
  });

  test('nothing of a source that is none of its own', () => {
    const given = meeting({ last: 1 }, { here: here(1), there: [] });
    expect(pointsToCarry({ ...given, copy: { ...given.copy, sources: ['metadata'] } })).toEqual([]);
  });

  test('of a journal the base and the slices that the kept window is restored from', () => {
    const slice = (hours: number): Point => ({
      ...pointOf('main', 'metadata', NOW - hours * HOUR, `slice ${hours}`),
      kind: 'slice',
    });
    const bases = [50, 26, 2].map((hours) => pointOf('main', 'metadata', NOW - hours * HOUR));
    const slices = [40, 25, 20, 1].map(slice);
    const window = { repository: 'main', source: 'metadata', from: NOW - 50 * HOUR, to: NOW };
    const given = meeting({ for: DAY }, { here: [...bases, ...slices], there: [] }, { windows: [window] });
    expect(windowsCount(given)).toBe(true);
    expect(pointsToCarry(given).map(({ time }) => (NOW - time) / HOUR)).toEqual([26, 2, 25, 20, 1]);
  });
});

describe('where windows begin', () => {
  const base = (hours: number) => pointOf('main', 'metadata', NOW - hours * HOUR);

  test.each<[string, CopyMeeting, boolean]>([
    [
      'counts for a base that is older than what is kept',
      meeting({ for: DAY }, { here: [base(24)], there: [] }),
      true,
    ],
    [
      'does not count for what is kept by its age',
      meeting({ for: DAY }, { here: [base(23)], there: [] }),
      false,
    ],
    ['does not count without a span', meeting({ last: 1 }, { here: [base(24)], there: [] }), false],
    ['does not count without a journal', meeting({ for: DAY }, { here: here(9), there: [] }), false],
    [
      'does not count for what is there',
      meeting({ for: DAY }, { here: [base(24)], there: [{ ...base(24), repository: 'offsite' }] }),
      false,
    ],
  ])('%s', (_, given, counts) => {
    expect(windowsCount(given)).toBe(counts);
  });
});
