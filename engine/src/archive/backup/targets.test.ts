import { describe, expect, test } from 'vitest';
import type { GivenEntry } from './protocol.ts';
import { assembleTargets, resolveTargets, snapshotPaths } from './targets.ts';

const disk: Record<string, string[]> = {
  '/': ['bin', 'home'],
  '/home/me': ['a', 'b'],
  '/home': ['me', 'you'],
};
const listNames = (path: string) => disk[path] ?? [];

/** A tree of given entries as indented lines: name, and where it is on disk. */
function outline(entries: readonly GivenEntry[], indent = ''): string[] {
  return entries.flatMap(({ name, path, given }) => [
    `${indent}${name} = ${path}${given === undefined ? ' *' : ''}`,
    ...outline(given ?? [], `${indent}  `),
  ]);
}

function assembled(paths: readonly string[], workingDirectory = '/home/me'): string[] {
  return outline(assembleTargets(resolveTargets(paths, workingDirectory, listNames)));
}

describe('what is asked for stands in the snapshot', () => {
  test.each([
    ['a relative path under its own components', ['a/x'], ['a = /home/me/a', '  x = /home/me/a/x *']],
    [
      'an absolute path under all of them',
      ['/home/me/a'],
      ['home = /home', '  me = /home/me', '    a = /home/me/a *'],
    ],
    ['here as its entries', ['.'], ['a = /home/me/a *', 'b = /home/me/b *']],
    ['here in other words', ['./x/..'], ['a = /home/me/a *', 'b = /home/me/b *']],
    ['above as its entries', ['..'], ['me = /home/me *', 'you = /home/you *']],
    ['the root as its entries', ['/'], ['bin = /bin *', 'home = /home *']],
    ['a path from above without the dots', ['../you/x'], ['you = /home/you', '  x = /home/you/x *']],
    ['a slash at the end as nothing', ['a/'], ['a = /home/me/a *']],
    ['dots and slashes in between as nothing', ['./a//./x/../y'], ['a = /home/me/a', '  y = /home/me/a/y *']],
    [
      'two beside each other in one level',
      ['a/x', 'a/y'],
      ['a = /home/me/a', '  x = /home/me/a/x *', '  y = /home/me/a/y *'],
    ],
    ['one inside another as part of that', ['a/x', 'a'], ['a = /home/me/a *']],
    ['and the other way round', ['a', 'a/x/y'], ['a = /home/me/a *']],
    ['the same twice once', ['a', './a'], ['a = /home/me/a *']],
    ['a name of any bytes as it is', ['\xff \xe4'], ['\xff \xe4 = /home/me/\xff \xe4 *']],
    [
      'names that begin with dots as names',
      ['.config', '..x', '...'],
      ['.config = /home/me/.config *', '..x = /home/me/..x *', '... = /home/me/... *'],
    ],
  ])('%s', (_, paths, lines) => {
    expect(assembled(paths)).toEqual(lines);
  });

  test.each([
    ['one from here and one from above of the same name', ['a', '../a']],
    ['one from here and an absolute one', ['home/x', '/home/x']],
    ['one below the other', ['a/x', '../a/y']],
  ])('but two places never under one name: %s', (_, paths) => {
    expect(() => assembled(paths)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

test('a snapshot says what it was asked for: absolute, sorted, each once, as text', () => {
  expect(snapshotPaths(['b', '.', '/x/../b', './b', '\xc3\xa4'], '/home/me')).toEqual([
    '/b',
    '/home/me',
    '/home/me/b',
    '/home/me/ä',
  ]);
});
