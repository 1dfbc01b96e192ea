import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileComponent } from './component.ts';
import { pathText } from './path-text.ts';

function matches(pattern: string, name: string): boolean | undefined {
  return compileComponent(pattern)?.(name);
}

describe('a component of a pattern', () => {
  const cases: readonly (readonly [pattern: string, name: string, expected: boolean])[] = [
    ['report.txt', 'report.txt', true],
    ['report.txt', 'report.txt2', false],
    ['report.txt', 'reportxtxt', false],
    ['*', '.hidden', true],
    ['*.log', 'a.log', true],
    ['*.log', '.log', true],
    ['*.log', 'a.log.1', false],
    ['core*', 'core', true],
    ['core*', 'core.1234', true],
    ['core*', 'score', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'acb', false],
    ['*b*', 'abc', true],
    ['**', 'abc', true],
    ['a**c', 'abc', true],
    ['*ab*ab', 'ab', false],
    ['*ab*ab', 'abab', true],
    ['*?', '', false],
    ['????', 'Müll', true],
    ['?', '😀', true],
    ['?', 'ab', false],
    ['[abc]', 'b', true],
    ['[a-c]x', 'bx', true],
    ['[a-c]x', 'dx', false],
    ['[^a-c]', 'd', true],
    ['[^a-c]', 'a', false],
    ['[!a]', '!', true],
    ['[!a]', 'b', false],
    ['[a^]', '^', true],
    ['[c-a]', 'b', false],
    ['[ä-ü]', 'ö', true],
    ['[\\]\\-]', ']', true],
    ['[\\]\\-]', '-', true],
    ['[\\^]', '^', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['\\[x]', '[x]', true],
    ['a\\b', 'ab', true],
    ['a]', 'a]', true],
    ['{a,b}', 'a', false],
    ['(a|b)+$.^', '(a|b)+$.^', true],
    ['*\n', 'a\n', true],
    ['a*', 'a\nb', true],
    ['A', 'a', false],
  ];
  test.each(cases)('%j on %j: %j', (pattern, name, expected) =>
    expect(matches(pattern, name)).toBe(expected),
  );

  test.each(['[', '[a', '[]', '[]a]', '[^]', '[-a]', '[a-]', '[a-]b]', '[a-b-c]', 'x\\', '[\\', '[a\\'])(
    '%j is malformed',
    (pattern) => expect(compileComponent(pattern)).toBeUndefined(),
  );
});

test('a byte that is no text is one character', () => {
  const name = pathText(Buffer.from([0x61, 0xff, 0x62]));
  expect(matches('a?b', name)).toBe(true);
  expect(matches('a??b', name)).toBe(false);
  expect(matches(pathText(Buffer.from([0x2a, 0xff, 0x62])), name)).toBe(true);
});

test('a byte that is no text is never found as a part of a character', () => {
  // U+10080 is the surrogate pair D800 DC80, and DC80 is how the byte 80 is escaped.
  expect(matches(`*${pathText(Buffer.from([0x80]))}`, '\u{10080}')).toBe(false);
});

test('many stars on a long name take no time', () => {
  const started = process.cpuUsage();
  expect(matches(`${'*a'.repeat(30)}*b`, 'a'.repeat(255))).toBe(false);
  expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
});

/** The definition, without any cleverness; `name` as characters. */
function matchesByDefinition(pattern: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return name.length === 0;
  if (first === '*')
    return name.some((_, i) => matchesByDefinition(rest, name.slice(i))) || matchesByDefinition(rest, []);
  if (name.length === 0) return false;
  const one = first === '?' || (first === '[ab]' ? name[0] === 'a' || name[0] === 'b' : first === name[0]);
  return one && matchesByDefinition(rest, name.slice(1));
}

test('every pattern means what its definition says', () => {
  const part = fc.constantFrom('*', '*', '?', '[ab]', 'a', 'b', 'ä', '😀', '\udcff');
  const character = fc.constantFrom('a', 'b', 'ä', '😀', '\udcff');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 7 }), fc.array(character, { maxLength: 8 }), (pattern, name) => {
      expect(matches(pattern.join(''), name.join(''))).toBe(matchesByDefinition(pattern, name));
    }),
    { numRuns: 3000 },
  );
});
