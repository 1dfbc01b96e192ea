import { expect, test } from 'vitest';
import { printableName } from './printable-name.ts';

test('a name without anything unsafe is shown as it is', () => {
  expect(printableName('Rechnung für 日本 👩‍💻 a\\b "c".txt')).toBe('Rechnung für 日本 👩‍💻 a\\b "c".txt');
});

test.each([
  ['\x1b[2J', '\\x1b[2J'],
  ['a\nb\tc\rd', 'a\\nb\\tc\\rd'],
  ['\x9b31m', '\\x9b31m'],
  ['\x00\x7f', '\\x00\\x7f'],
  ['gpj\u202eexe', 'gpj\\u{202e}exe'],
  ['latin1-\udce9\udcff.txt', 'latin1-\\xe9\\xff.txt'],
  ['half \ud83d', 'half \\u{d83d}'],
])('what could steer a terminal is written out: %j', (name, shown) => {
  expect(printableName(name)).toBe(shown);
});
