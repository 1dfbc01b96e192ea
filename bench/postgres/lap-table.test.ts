import { expect, it } from 'vitest';
import { renderLaps } from './lap-table.ts';
import type { Lap } from './stage.ts';

function lap(work: string, label: string, wallSeconds: number, storedBytes?: number): Lap {
  const cost = { wallSeconds, cpuSeconds: 1, peakBytes: 200e6 };
  return { work, label, ...cost, ...(storedBytes === undefined ? {} : { storedBytes }) };
}

it('puts beside each peer how many times its time we take, and what is asked', () => {
  const laps = [
    lap('full base', 'theirs 2', 4),
    lap('full base', 'ours 1', 3, 50e6),
    lap('full base', 'ours 1', 1, 50e6),
    lap('full base', 'theirs 2', 6),
  ];
  expect(
    renderLaps(laps, 'ours 1', [{ work: 'full base', peer: 'theirs', atMost: 0.8 }])
      .split('\n')
      .slice(2),
  ).toEqual([
    '| full base | ours 1 | 2.00 | 3.00 · 1.00 |  |  | 1.00 | 200 | 50.0 |',
    '|  | theirs 2 | 5.00 | 4.00 · 6.00 | 0.40 | ≤ 0.8 | 1.00 | 200 |  |',
  ]);
});

it('has no ratio where we are not there to be compared', () => {
  expect(
    renderLaps([lap('full base', 'theirs 2', 4)], 'ours 1', [])
      .split('\n')
      .slice(2),
  ).toEqual(['| full base | theirs 2 | 4.00 | 4.00 |  |  | 1.00 | 200 |  |']);
});
