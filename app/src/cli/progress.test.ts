import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ProgressSample, progressStatus, renderProgress, renderProgressLine } from './progress.ts';
import { displayWidth } from './width.ts';

const sample: ProgressSample = {
  phase: 'Reading',
  startedAt: 1_000_000,
  files: 1284,
  totalFiles: 11_842,
  bytes: 41_200_000,
  totalBytes: 118_000_000,
  errors: 0,
  items: ['/home/ann/letters/a.txt'],
};

test('with known totals a person sees how far it is and how long it takes', () => {
  expect(renderProgress(sample, 80, 1_010_000)).toEqual([
    'Reading · 34 % · 10.0 s · 19.0 s left',
    '  1,284 of 11,842 files · 41.2 MB of 118 MB · 4.1 MB/s',
    '  /home/ann/letters/a.txt',
  ]);
});

test('without totals nothing is promised', () => {
  const { totalBytes, totalFiles, ...unknown } = sample;
  expect(renderProgress({ ...unknown, items: [] }, 80, 1_010_000)).toEqual([
    'Reading · 10.0 s',
    '  1,284 files · 41.2 MB · 4.1 MB/s',
  ]);
});

test('what failed is said while it runs', () => {
  expect(renderProgressLine({ ...sample, errors: 3 }, 1_010_000)).toBe(
    'Reading · 34 % · 1,284 of 11,842 files · 41.2 MB of 118 MB · 4.1 MB/s · 3 failed · 19.0 s left',
  );
});

test('of a long path the end is kept, and at most two are shown', () => {
  const lines = renderProgress(
    { ...sample, items: [`/${'deep/'.repeat(30)}letter`, 'b', 'c'] },
    30,
    1_010_000,
  );
  expect(lines).toHaveLength(4);
  expect(lines[2]).toMatch(/^ {2}….*letter$/);
});

test('a source that grew does not go beyond 100 %', () => {
  expect(renderProgress({ ...sample, bytes: 200_000_000 }, 80, 1_010_000)[0]).toBe(
    'Reading · 100 % · 10.0 s',
  );
});

test('whatever is being read, no line fills the terminal or carries a control character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 4, max: 120 }), (item, width) => {
      for (const line of renderProgress({ ...sample, items: [item] }, width, 1_010_000)) {
        expect(displayWidth(line)).toBeLessThan(width);
        expect(line).not.toMatch(/\p{Control}/u);
      }
    }),
  );
});

test('programs get numbers, and totals only when they are known', () => {
  expect(progressStatus(sample, 1_010_000)).toMatchObject({
    type: 'status',
    secondsElapsed: 10,
    totalFiles: 11_842,
  });
  const { totalBytes, totalFiles, ...unknown } = sample;
  expect(Object.keys(progressStatus(unknown, 1_010_000))).not.toContain('totalBytes');
});
