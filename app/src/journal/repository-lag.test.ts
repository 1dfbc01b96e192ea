import { expect, test } from 'vitest';
import { RepositoryLag } from './repository-lag.ts';

test('the repository lags by the age of the oldest byte that it does not have', () => {
  const lag = new RepositoryLag();
  expect(lag.age(1000)).toBe(0);
  lag.roundBegun();
  lag.arrived(1000);
  lag.arrived(2000);
  expect(lag.age(5000)).toBe(4000);
  // It may have come after the round had looked: only the next one is sure to bring it.
  lag.roundSucceeded();
  expect(lag.age(5000)).toBe(4000);
  lag.roundBegun();
  lag.arrived(6000);
  lag.roundSucceeded();
  expect(lag.age(7000)).toBe(1000);
});

test('while rounds fail it grows, and what an earlier process has left counts', () => {
  const lag = new RepositoryLag();
  lag.roundBegun();
  lag.found(500);
  lag.arrived(1000);
  lag.roundBegun();
  expect(lag.age(10_000)).toBe(9500);
  lag.roundSucceeded();
  expect(lag.age(10_000)).toBe(0);
});
