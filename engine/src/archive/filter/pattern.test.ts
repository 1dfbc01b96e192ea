import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compilePatterns } from './pattern.ts';

type Case = readonly [pattern: string, path: string, expected: boolean];

describe('a pattern matches a path or not', () => {
  const cases: readonly Case[] = [
    // Whole components at any depth, and whatever lies below.
    ['cache', '/home/ann/cache', true],
    ['cache', '/home/ann/cache/a/b', true],
    ['cache', '/home/ann/cached', false],
    ['cache', '/home/ann/mycache', false],
    ['*.o', '/src/main.o', true],
    ['*.o', '/src/main.o/x.c', true],
    ['*.o', '/src/main.c', false],
    ['.cache/*', '/home/ann/.cache', false],
    ['.cache/*', '/home/ann/.cache/x', true],
    ['src/*.c', '/home/src/a.c', true],
    ['src/*.c', '/home/src/deep/a.c', false],
    ['a/b', '/a/x/b', false],
    ['a/b', '/a/a/b', true],
    ['*', '/x', true],
    // Anchored.
    ['/bin', '/bin/bash', true],
    ['/bin', '/usr/bin', false],
    ['/*/bin', '/usr/bin', true],
    ['/*/bin', '/usr/local/bin', false],
    ['/home/*', '/home', false],
    ['/home/*', '/home/ann', true],
    ['/', '/anything', true],
    // Any depth.
    ['foo/**/bar', '/dir1/foo/dir2/bar/file', true],
    ['foo/**/bar', '/foo/bar/file', true],
    ['foo/**/bar', '/tmp/foo/a/b/c/bar', true],
    ['foo/**/bar', '/bar/foo', false],
    ['/a/**/z', '/a/z', true],
    ['/a/**/z', '/b/a/z', false],
    ['**/z', '/z', true],
    ['**', '/a', true],
    ['/a/**', '/a', true],
    ['/a/**/b/**/c', '/a/1/b/2/3/c', true],
    ['/a/**/b/**/c', '/a/1/c/2/3/b', false],
    ['/**/x/**', '/a/x', true],
    ['a/b**/c', '/a/bx/c', true],
    ['a/b**/c', '/a/b/x/c', false],
    // Cleaned.
    ['/foo//bar/', '/foo/bar', true],
    ['/foo/../bar', '/bar', true],
    ['/foo/./bar', '/foo/bar', true],
    ['cache/', '/home/cache', true],
    // Case and characters.
    ['CACHE', '/cache', false],
    ['M?ll', '/tmp/Müll', true],
    ['\\*', '/tmp/*', true],
    ['\\*', '/tmp/a', false],
    ['c:/foo', '/c:/foo/bar', true],
  ];
  test.each(cases)('%j on %j: %j', (pattern, path, expected) => {
    expect(compilePatterns([pattern]).matches(path)).toBe(expected);
  });
});

describe('a directory can hold matches or not', () => {
  const cases: readonly Case[] = [
    ['bar', '/foo', true],
    ['foo/bar', '/x/y', true],
    ['/foo/bar', '/', true],
    ['/foo/bar/baz', '/foo', true],
    ['/foo/bar/baz', '/foo/bar', true],
    ['/foo/bar/baz', '/foo/bar/baz/below', true],
    ['/foo/bar/baz', '/foo/baz', false],
    ['/foo/bar', '/bar', false],
    ['/foo/*/qux', '/foo/any', true],
    ['/foo/*/qux', '/foo/any/other', false],
    ['/foo/**/qux', '/foo/a/b/c', true],
    ['/foo/**/qux', '/bar', false],
    ['/**/qux', '/bar', true],
  ];
  test.each(cases)('%j on %j: %j', (pattern, path, expected) => {
    expect(compilePatterns([pattern]).childMayMatch(path)).toBe(expected);
  });
});

test('no patterns match nothing, and empty ones are ignored', () => {
  expect(compilePatterns([]).matches('/a')).toBe(false);
  expect(compilePatterns([]).childMayMatch('/a')).toBe(false);
  expect(compilePatterns(['', 'b']).matches('/a')).toBe(false);
});

test('an exclamation mark takes back what was matched before it, and later patterns match again', () => {
  const matcher = compilePatterns(['/home/ann/*', '!/home/ann/Documents', 'node_modules']);
  expect(matcher.matches('/home/ann/Music')).toBe(true);
  expect(matcher.matches('/home/ann/Documents')).toBe(false);
  expect(matcher.matches('/home/ann/Documents/letter')).toBe(false);
  expect(matcher.matches('/home/ann/Documents/node_modules/x')).toBe(true);
  expect(compilePatterns(['!a', 'a']).matches('/a')).toBe(true);
  expect(compilePatterns(['!a']).matches('/b')).toBe(false);
  expect(compilePatterns(['/home', '!/home/ann']).childMayMatch('/home/ann')).toBe(false);
});

test('case is ignored on demand, beyond ASCII and in classes', () => {
  const matcher = compilePatterns(['*.JPG', 'ÄRGER', '[X-Z]1'], { ignoreCase: true });
  for (const path of ['/a/b.jpg', '/a/B.JpG', '/ärger', '/Ärger/x', '/y1'])
    expect(matcher.matches(path)).toBe(true);
  expect(matcher.matches('/a.png')).toBe(false);
});

test('a malformed pattern is said, not skipped', () => {
  expect(() => compilePatterns(['ok', 'a/[b'])).toThrow(
    expect.objectContaining({ code: 'usage', subject: 'a/[b' }),
  );
  expect(() => compilePatterns(['a/**/[b'])).toThrow(/malformed/);
});

const component = fc.constantFrom('a', 'b', 'ab', 'c');
const pathOf = fc.array(component, { minLength: 1, maxLength: 6 });
const patternOf = fc.tuple(
  fc.boolean(),
  fc.array(
    fc.oneof(
      { weight: 4, arbitrary: component },
      { weight: 2, arbitrary: fc.constantFrom('*', 'a*', '?', '**') },
    ),
    {
      minLength: 1,
      maxLength: 5,
    },
  ),
);

/** restic's own definition: `**` becomes 0, 1, 2, … stars; the rest must stand in a row, from the root if anchored. */
function matchesByDefinition(
  anchored: boolean,
  pattern: readonly string[],
  path: readonly string[],
): boolean {
  const wild = pattern.indexOf('**');
  if (wild >= 0) {
    return Array.from({ length: path.length + 1 }, (_, stars) =>
      pattern.toSpliced(wild, 1, ...Array<string>(stars).fill('*')),
    ).some((expanded) => matchesByDefinition(anchored, expanded, path));
  }
  if (pattern.length === 0) return anchored;
  const expressions = pattern.map(
    (part) => new RegExp(`^${part.replaceAll('*', '.*').replaceAll('?', '.')}$`),
  );
  const offsets = anchored ? [0] : path.map((_, offset) => offset);
  return offsets.some((offset) =>
    expressions.every(
      (expression, i) => path[offset + i] !== undefined && expression.test(path[offset + i] as string),
    ),
  );
}

test('every pattern means what the definition says', () => {
  fc.assert(
    fc.property(patternOf, pathOf, ([anchored, pattern], path) => {
      const matcher = compilePatterns([`${anchored ? '/' : ''}${pattern.join('/')}`]);
      expect(matcher.matches(`/${path.join('/')}`)).toBe(matchesByDefinition(anchored, pattern, path));
    }),
    { numRuns: 3000 },
  );
});

test('a directory is never skipped that holds a match', () => {
  fc.assert(
    fc.property(fc.array(patternOf, { maxLength: 3 }), pathOf, (patterns, path) => {
      const matcher = compilePatterns(
        patterns.map(([anchored, parts]) => `${anchored ? '/' : ''}${parts.join('/')}`),
      );
      fc.pre(matcher.matches(`/${path.join('/')}`));
      for (let depth = 0; depth < path.length; depth++) {
        expect(matcher.childMayMatch(`/${path.slice(0, depth).join('/')}`)).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});
