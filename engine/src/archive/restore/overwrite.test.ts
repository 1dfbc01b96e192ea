import { expect, test } from 'vitest';
import { decideOverwrite, type Found, type Overwrite, type Verdict } from './overwrite.ts';

const node = { type: 'file', mtime: 100n, size: 5 } as const;
const same: Found = { type: 'file', mtime: 100n, size: 5 };

test.for<[Overwrite, string, Found, Verdict]>([
  ['always', 'an equal file', same, 'compare'],
  ['always', 'a newer file', { ...same, mtime: 200n }, 'compare'],
  ['always', 'a symlink', { ...same, type: 'symlink' }, 'replace'],
  ['if-changed', 'an equal file', same, 'trust'],
  ['if-changed', 'a file of another time', { ...same, mtime: 101n }, 'compare'],
  ['if-changed', 'a file of another size', { ...same, size: 6 }, 'compare'],
  ['if-changed', 'a directory', { ...same, type: 'dir' }, 'replace'],
  ['if-newer', 'a file of the same time', same, 'keep'],
  ['if-newer', 'a newer file', { ...same, mtime: 200n }, 'keep'],
  ['if-newer', 'an older file', { ...same, mtime: 99n }, 'compare'],
  ['if-newer', 'an older FIFO', { ...same, mtime: 99n, type: 'fifo' }, 'replace'],
  ['never', 'an older file', { ...same, mtime: 99n }, 'keep'],
  ['never', 'a symlink', { ...same, type: 'symlink' }, 'keep'],
])('%s: %s', ([rule, , found, verdict]) => {
  expect(decideOverwrite(node, found, rule)).toBe(verdict);
});

test('a directory that is there is kept with what is in it', () => {
  const directory = { type: 'dir', mtime: 100n, size: 0 } as const;
  expect(decideOverwrite(directory, { type: 'dir', mtime: 99n, size: 4096 }, 'always')).toBe('trust');
});
