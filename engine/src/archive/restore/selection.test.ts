import { expect, test } from 'vitest';
import { compileRestoreRules } from './selection.ts';

test('without rules everything comes back', () => {
  expect(compileRestoreRules()('/any/thing', false)).toEqual({ wanted: true, enter: true });
});

test('an included directory comes back whole, and those above it are only passed', () => {
  const select = compileRestoreRules({ include: ['/srv/data'] });
  expect(select('/srv', true)).toEqual({ wanted: false, enter: true });
  expect(select('/srv/data', true)).toEqual({ wanted: true, enter: true });
  expect(select('/srv/data/a/b', false)).toEqual({ wanted: true, enter: true });
  expect(select('/srv/other', true)).toEqual({ wanted: false, enter: false });
  expect(select('/srv/file', false)).toEqual({ wanted: false, enter: false });
});

test('an exclude wins over an include, and nothing below it is looked at', () => {
  const select = compileRestoreRules({ include: ['/srv'], exclude: ['cache'] });
  expect(select('/srv/cache', true)).toEqual({ wanted: false, enter: false });
  expect(select('/srv/keep', true)).toEqual({ wanted: true, enter: true });
});

test('case can be ignored', () => {
  expect(compileRestoreRules({ includeIgnoringCase: ['*.jpg'] })('/a/PHOTO.JPG', false).wanted).toBe(true);
  expect(compileRestoreRules({ excludeIgnoringCase: ['*.tmp'] })('/a/x.TMP', false).wanted).toBe(false);
});
