import type { Id } from '@holdfast/engine';
import { describe, expect, test } from 'vitest';
import type { WalFileFound } from '../wal/coverage.ts';
import { segmentName } from '../wal/segment.ts';
import { type BaseFacts, recoveryWindows, type SliceWal } from './recovery-windows.ts';

const SIZE = 16 * 2 ** 20;
const at = (segments: number) => BigInt(Math.round(segments * SIZE));
const base = (segments: number, endedAt: number): BaseFacts => ({
  id: `base-${segments}` as Id,
  end: at(segments),
  endedAt,
});
const wal = (time: number, timeline: number, ...numbers: number[]): SliceWal => ({
  time,
  files: numbers.map((number) => ({ name: segmentName({ timeline, number: BigInt(number) }, SIZE) })),
});
const partial = (number: number, to: number, timeline = 1): WalFileFound => ({
  name: `${segmentName({ timeline, number: BigInt(number) }, SIZE)}.partial`,
  to: at(to),
});
const alone = { timeline: 1, history: [] };
const windows = (
  bases: BaseFacts[],
  slices: SliceWal[],
  lineage: Parameters<typeof recoveryWindows>[3] = alone,
) => recoveryWindows(bases, slices, SIZE, lineage);

describe('a recovery window', () => {
  test('reaches from a base to the end of the journal, its partial segment included', () => {
    const slices = [wal(10, 1, 3, 4), { time: 20, files: [partial(5, 5.5)] }];
    expect(windows([base(3.5, 5)], slices)).toEqual({
      windows: [{ from: { lsn: at(3.5), time: 5 }, to: { lsn: at(5.5), time: 20 }, bases: ['base-3.5'] }],
      gaps: [],
    });
  });

  test('has many bases when nothing is missing between them', () => {
    const found = windows([base(5.5, 30), base(3.5, 5)], [wal(10, 1, 3, 4), wal(40, 1, 5, 6)]);
    expect(found.windows).toMatchObject([{ bases: ['base-3.5', 'base-5.5'], to: { lsn: at(7), time: 40 } }]);
  });

  test('ends at a gap, and the next begins only with a base behind it', () => {
    const slices = [wal(10, 1, 3, 4), wal(30, 1, 6, 7, 8)];
    const found = windows([base(3.5, 5), base(7.5, 25)], slices);
    expect(found).toEqual({
      windows: [
        { from: { lsn: at(3.5), time: 5 }, to: { lsn: at(5), time: 10 }, bases: ['base-3.5'] },
        { from: { lsn: at(7.5), time: 25 }, to: { lsn: at(9), time: 30 }, bases: ['base-7.5'] },
      ],
      gaps: [{ from: { lsn: at(5), time: 10 }, to: { lsn: at(6), time: 30 } }],
    });
  });

  test('is one moment for a base whose journal is not there', () => {
    const found = windows([base(3.5, 5)], [wal(30, 1, 6)]);
    expect(found.windows).toEqual([
      { from: { lsn: at(3.5), time: 5 }, to: { lsn: at(3.5), time: 5 }, bases: ['base-3.5'] },
    ]);
  });

  test('is not there without a base, however long the journal', () => {
    expect(windows([], [wal(10, 1, 1, 2, 3)]).windows).toEqual([]);
  });

  test('leads across a switch of timelines', () => {
    const lineage = { timeline: 2, history: [{ timeline: 1, end: at(4.5) }] };
    const slices = [wal(10, 1, 3), { time: 15, files: [partial(4, 4.7)] }, wal(20, 2, 4, 5)];
    expect(windows([base(3.5, 5)], slices, lineage).windows).toMatchObject([
      { to: { lsn: at(6), time: 20 } },
    ]);
  });
});
