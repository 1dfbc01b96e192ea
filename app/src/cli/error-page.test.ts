import { readdirSync } from 'node:fs';
import { type FailureCode, failureTable } from '@holdfast/engine';
import { expect, test } from 'vitest';
import { errorPage, isFailureCode } from './error-page.ts';

const codes = Object.keys(failureTable) as FailureCode[];

test.each(codes)(
  '%s has a page that says what it means, what happened to the data and what to do',
  (code) => {
    const page = errorPage(code);
    expect(page).toContain(`# ${code}\n`);
    expect(page).toContain(`Exit code ${failureTable[code].exitCode}.`);
    for (const part of ['What it means', 'What happened to your data', 'What to do']) {
      expect(page).toContain(`\n## ${part}\n`);
    }
  },
);

test('no page is without a code', () => {
  const pages = readdirSync(new URL('../../../docs/errors/', import.meta.url));
  expect(pages.map((page) => page.replace(/\.md$/, '')).filter((code) => !isFailureCode(code))).toEqual([]);
});

test('only codes of the table are looked up', () => {
  expect(isFailureCode('../../package')).toBe(false);
  expect(isFailureCode('toString')).toBe(false);
});
