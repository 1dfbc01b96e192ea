import { expect, it } from 'vitest';
import type { Sample } from './operations.ts';
import { median, renderTable } from './table.ts';

function sample(work: string, label: string, wallSeconds: number, repositoryBytes?: number): Sample {
  const cost = { wallSeconds, cpuSeconds: 1, peakBytes: 200e6 };
  return { work, label, ...cost, ...(repositoryBytes === undefined ? {} : { repositoryBytes }) };
}

it('puts medians beside their ratio to the baseline, which stands first whoever ran first', () => {
  const table = renderTable(
    [
      sample('first backup', 'ours 1', 3, 50e6),
      sample('first backup', 'theirs 2', 4, 100e6),
      sample('first backup', 'theirs 2', 10, 100e6),
      sample('first backup', 'ours 1', 1, 50e6),
      sample('first backup', 'theirs 2', 2, 100e6),
      sample('restore', 'ours 1', 1),
    ],
    'theirs 2',
  );
  expect(table.split('\n').slice(2)).toEqual([
    '| first backup | theirs 2 | 4.00 |  | 1.00 |  | 200 |  | 100.0 |  |',
    '|  | ours 1 | 2.00 | 0.50 | 1.00 | 1.00 | 200 | 1.00 | 50.0 | 0.50 |',
    '| restore | ours 1 | 1.00 |  | 1.00 |  | 200 |  |  |  |',
  ]);
});

it('takes the middle of an odd number of figures and the mean of the two middle ones of an even number', () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([5, 1, 3, 4])).toBe(3.5);
  expect(median([undefined, 7])).toBe(7);
  expect(median([])).toBeUndefined();
});

it('names who failed, and shows what the others did', () => {
  const table = renderTable(
    [sample('check', 'theirs 2', 4), { work: 'check', label: 'ours 1', said: 'ended with 1' }],
    'theirs 2',
  );
  expect(table.split('\n').slice(2)).toEqual([
    '| check | theirs 2 | 4.00 |  | 1.00 |  | 200 |  |  |  |',
    '|  | ours 1 (failed 1 of 1) |  |  |  |  |  |  |  |  |',
  ]);
});

it('counts what a server was asked, in columns that are there only where a server is', () => {
  const asked = (label: string, GetObject: number, bytes: number): Sample => ({
    ...sample('unchanged', label, 1),
    traffic: { requests: { GetObject, PutObject: 2 }, bytes },
  });
  const lines = renderTable([asked('theirs 2', 8, 4e6), asked('ours 1', 3, 1e6)], 'theirs 2').split('\n');
  expect(lines[0]).toMatch(/ requests \| × \| network MB \| × \|$/);
  expect(lines[3]).toMatch(/ 5 \| 0\.50 \| 1\.0 \| 0\.25 \|$/);
  expect(renderTable([sample('unchanged', 'ours 1', 1)], 'theirs 2')).not.toContain('requests');
});
