import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { exitCode, skipLines, stepLine, total } from './report.ts';

const skip = { test: 'restic reads what we wrote', reason: 'restic is not installed' };

test('the sums are over all suites', () => {
  const outcomes = [
    { passed: 3, failed: 0, skipped: [skip], output: '' },
    { passed: 1, failed: 2, skipped: [], output: '' },
  ];
  expect(total(outcomes)).toEqual({ passed: 4, failed: 2, skipped: 1, skippedNeedlessly: 1 });
});

test('a skip fails only where everything must be able to run', () => {
  const sums = { passed: 4, failed: 0, skipped: 1, skippedNeedlessly: 1 };
  expect(exitCode(sums, { skipsFail: false })).toBe(0);
  expect(exitCode(sums, { skipsFail: true })).toBe(1);
  expect(exitCode({ ...sums, failed: 1 }, { skipsFail: false })).toBe(1);
});

test('what the machine does not allow fails nowhere', () => {
  const sums = total([{ passed: 4, failed: 0, skipped: [{ ...skip, impossible: true }], output: '' }]);
  expect(sums).toMatchObject({ skipped: 1, skippedNeedlessly: 0 });
  expect(exitCode(sums, { skipsFail: true })).toBe(0);
});

test('tests that share a reason for being skipped stand below it', () => {
  expect(skipLines([skip, { ...skip, test: 'we read what restic wrote' }])).toEqual([
    ' restic is not installed',
    '   restic reads what we wrote',
    '   we read what restic wrote',
  ]);
});

test('a line says by its sign what its colour says', () => {
  const line = (failed: number, skipped: number) =>
    stripVTControlCharacters(
      stepLine('unit', { passed: 1, failed, skipped: Array(skipped).fill(skip), output: '' }, 1234),
    );
  expect(line(0, 0)).toMatch(/^ ✔ unit +1 passed +1\.2 s$/);
  expect(line(0, 2)).toMatch(/^ ▲ unit +1 passed, 2 skipped/);
  expect(line(1, 0)).toMatch(/^ ✖ unit +1 passed, 1 failed/);
});
