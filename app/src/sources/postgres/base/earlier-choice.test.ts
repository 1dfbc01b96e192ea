import { expect, test } from 'vitest';
import { type BaseOrigin, isEarlierState } from './earlier-choice.ts';

const base = (timeline: number, lsn: bigint, history: BaseOrigin['history'] = []): BaseOrigin => ({
  end: { timeline, lsn },
  history,
});
const first = { timeline: 1, end: 500n };
const second = { timeline: 2, end: 900n };

test('a base on the timeline of the server is an earlier state of it', () => {
  expect(isEarlierState(base(1, 400n), { timeline: 1, history: [] })).toBe(true);
  expect(isEarlierState(base(2, 700n, [first]), { timeline: 2, history: [first] })).toBe(true);
});

test('one on a timeline before is, up to where the server left it', () => {
  const server = { timeline: 3, history: [first, second] };
  expect(isEarlierState(base(1, 500n), server)).toBe(true);
  expect(isEarlierState(base(1, 501n), server)).toBe(false);
  expect(isEarlierState(base(2, 900n, [first]), server)).toBe(true);
  expect(isEarlierState(base(2, 901n, [first]), server)).toBe(false);
});

test('one whose timeline has the same number and another history is not', () => {
  const elsewhere = { timeline: 1, end: 450n };
  expect(isEarlierState(base(2, 700n, [elsewhere]), { timeline: 2, history: [first] })).toBe(false);
  expect(isEarlierState(base(3, 950n, [first]), { timeline: 3, history: [first, second] })).toBe(false);
});

test('one of the future of another server is not', () => {
  expect(isEarlierState(base(2, 400n, [first]), { timeline: 1, history: [] })).toBe(false);
});
