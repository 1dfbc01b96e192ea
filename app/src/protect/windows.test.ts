import { expect, test } from 'vitest';
import type { BasePoint } from '../cli/commands/postgres/points.ts';
import { pointOf } from '../testing/healthy-stack.ts';
import { journaledSources, windowsOf } from './windows.ts';

test('bases that the journal joins are one window', () => {
  const until = { lsn: '0/9000000', time: at(50) };
  expect(windows(base('a', 10, until), base('b', 40, until))).toEqual([{ from: 10, to: 50 }]);
});

test('a server at rest has no gap between two bases', () => {
  const until = { lsn: '0/9000000', time: at(5) };
  expect(windows(base('a', 10, until), base('b', 40, until))).toEqual([{ from: 10, to: 40 }]);
});

test('a base that no journal follows is a moment, and one that is behind a gap begins a window', () => {
  const before = { lsn: '0/4000000', time: at(20) };
  const after = { lsn: '0/9000000', time: at(60) };
  expect(windows(base('a', 10, before), base('b', 30), base('c', 40, after))).toEqual([
    { from: 10, to: 20 },
    { from: 30, to: 30 },
    { from: 40, to: 60 },
  ]);
});

test('windows are looked for of sources that have bases, once each', () => {
  const points = ['metadata', 'media', 'metadata'].map((source, time) => pointOf('main', source, time));
  expect(journaledSources(points)).toEqual(['metadata']);
});

function windows(...bases: BasePoint[]) {
  return windowsOf({ bases, gaps: [] }, 'main', 'metadata').map(({ from, to }) => ({ from, to }));
}

function base(snapshot: string, endedAt: number, until?: BasePoint['until']): BasePoint {
  return {
    snapshot: snapshot as BasePoint['snapshot'],
    host: 'db',
    server: 'db:5432',
    serverVersion: '17',
    systemId: '1',
    timeline: 1,
    startLsn: '0/1000000',
    endLsn: '0/2000000',
    endedAt: at(endedAt),
    size: 1,
    ...(until === undefined ? {} : { until }),
  };
}

function at(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
