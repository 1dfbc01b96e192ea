import { describe, expect, test } from 'vitest';
import type { BasePoint } from '../cli/commands/postgres/points.ts';
import { pointOf } from '../testing/healthy-stack.ts';
import { idOf } from '../testing/snapshots.ts';
import { journaledSources, windowsOf } from './windows.ts';

/** A base that was finished at `ended`, and how far its journal reaches. */
function base(ended: number, until?: number): BasePoint {
  return {
    snapshot: idOf('ba5e'),
    host: 'db',
    server: 'db:5432',
    serverVersion: '17.0',
    systemId: '7',
    timeline: 1,
    startLsn: '0/1',
    endLsn: '0/2',
    endedAt: new Date(ended).toISOString(),
    size: 1,
    ...(until === undefined ? {} : { until: { lsn: '0/3', time: new Date(until).toISOString() } }),
  };
}

describe('the windows that bases and journals make', () => {
  test.each<[string, BasePoint[], [number, number][]]>([
    ['none of no base', [], []],
    ['a base without a journal is a moment', [base(10)], [[10, 10]]],
    ['a journal makes it a stretch', [base(10, 20)], [[10, 20]]],
    ['bases that it joins are one', [base(10, 20), base(15, 20)], [[10, 20]]],
    ['one at its very end still joins', [base(10, 20), base(20, 30)], [[10, 30]]],
    [
      'a gap parts them',
      [base(10, 20), base(21, 30)],
      [
        [10, 20],
        [21, 30],
      ],
    ],
    [
      'bases without a journal stay moments',
      [base(10), base(10), base(12)],
      [
        [10, 10],
        [10, 10],
        [12, 12],
      ],
    ],
    ['a base within whose own journal is lost takes nothing away', [base(10, 20), base(15)], [[10, 20]]],
  ])('%s', (_, bases, windows) => {
    expect(windowsOf({ bases, gaps: [] }, 'main', 'orders')).toEqual(
      windows.map(([from, to]) => ({ repository: 'main', source: 'orders', from, to })),
    );
  });

  test('are looked for of sources that have bases, once each', () => {
    const points = ['metadata', 'media', 'metadata'].map((source, at) => pointOf('main', source, at));
    expect(journaledSources(points)).toEqual(['metadata']);
  });
});
