import { planForget, type StoredSnapshot } from '@holdfast/engine';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OpenFinding, Point } from '../catalog/records.ts';
import type { KeepRules } from '../policy/model.ts';
import { decideRetention } from './decide-retention.ts';
import type { RetentionInput } from './retention-input.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 21, 12);

function point(hoursAgo: number, changes: Partial<Point> = {}): Point {
  const snapshot = `${changes.kind ?? 'snapshot'} ${hoursAgo}`;
  const time = NOW - hoursAgo * HOUR;
  const name = { repository: 'main', snapshot, original: snapshot, source: 'media' };
  return { ...name, kind: 'snapshot', time, bytes: 1, added: 1, complete: true, ...changes };
}

function decide(points: readonly Point[], rules: KeepRules, changes: Partial<RetentionInput> = {}) {
  const { kept, removed, skipped } = decideRetention({
    points,
    rules,
    holds: [],
    findings: [],
    now: NOW,
    timezone: 'UTC',
    ...changes,
  });
  return {
    kept: kept.map((entry) => [entry.point.snapshot, entry.reasons.map(({ kind }) => kind).join()]),
    removed: removed.map((entry) => entry.point.snapshot),
    skipped,
  };
}

const damage: OpenFinding = {
  repository: 'main',
  severity: 'error',
  code: 'pack.blob-damaged',
  subject: 'pack 1a2b3c4d',
  message: 'a blob is damaged',
  snapshots: ['snapshot 1'],
  foundAt: 0,
  seenAt: 0,
};

describe('retention', () => {
  it('keeps for seven days, not a millisecond less and not one more', () => {
    const rules = { for: 7 * 24 * HOUR };
    const points = [point(1), point(168, { time: NOW - 168 * HOUR + 1, snapshot: 'younger' }), point(168)];
    expect(decide(points, rules)).toMatchObject({
      kept: [
        ['snapshot 1', 'age,newest'],
        ['younger', 'age'],
      ],
      removed: ['snapshot 168'],
    });
  });

  it('never removes the newest good point, however old, nor when newer ones are damaged or incomplete', () => {
    const points = [point(1), point(2, { complete: false }), point(500), point(600)];
    expect(decide(points, { for: HOUR / 2 }, { findings: [damage] })).toMatchObject({
      kept: [['snapshot 500', 'newest']],
      removed: ['snapshot 1', 'snapshot 2', 'snapshot 600'],
    });
  });

  it('keeps the base that the window begins with, and the journal since', () => {
    const bases = [1, 5, 9, 13].map((hours) => point(hours, { kind: 'base' }));
    const slices = [1, 6, 8, 10, 14].map((hours) => point(hours, { kind: 'slice' }));
    expect(decide([...bases, ...slices], { for: 7 * HOUR }).removed).toEqual([
      'slice 10',
      'base 13',
      'slice 14',
    ]);
    const gap = { repository: 'main', source: 'media' };
    const windows = [
      { ...gap, from: NOW - 13 * HOUR, to: NOW - 8 * HOUR },
      { ...gap, from: NOW - 5 * HOUR, to: NOW },
    ];
    expect(decide([...bases, ...slices], { for: 7 * HOUR }, { windows }).removed).toContain('base 9');
  });

  it('removes nothing while it is not known which points are damaged, and says so', () => {
    const { removed, skipped } = decide(
      [point(1), point(900)],
      { for: HOUR },
      { findings: [{ ...damage, snapshots: [] }] },
    );
    expect(removed).toEqual([]);
    expect(skipped?.because).toContain('a blob is damaged');
  });

  it('lets no wrong clock cost a point its place', () => {
    const points = [point(-5000), point(1), point(30)];
    expect(decide(points, { daily: 2 }).removed).toEqual([]);
    expect(decide(points, { last: 1 })).toMatchObject({ removed: ['snapshot 30'] });
  });

  it('counts as forget does, and so as restic does', () => {
    const counts = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined });
    const rules = fc
      .record({
        last: counts,
        hourly: counts,
        daily: counts,
        weekly: counts,
        monthly: counts,
        yearly: counts,
      })
      .map((record) => Object.fromEntries(Object.entries(record).filter(([, count]) => count !== undefined)))
      .filter((record) => Object.values(record).some((count) => (count ?? 0) > 0));
    const ages = fc.uniqueArray(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(rules, ages, (count, hours) => {
        const points = hours.map((age) => point(age));
        const snapshots = points.map(
          ({ snapshot, time }) =>
            ({
              id: snapshot,
              time: new Date(time).toISOString(),
              tags: [],
              paths: [],
              hostname: '',
            }) as unknown,
        );
        const [group] = planForget(snapshots as StoredSnapshot[], { count }, { now: NOW });
        const kept = decide(points, count as KeepRules).kept.map(([name]) => name);
        expect(kept).toEqual(group?.keep.map(({ snapshot }) => snapshot.id));
      }),
    );
  });
});
