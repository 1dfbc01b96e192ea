import fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayWidth, padEnd, padStart, printable, truncateEnd, truncateStart } from './width.ts';

test.each([
  ['', 0],
  ['plain', 5],
  ['日本', 4],
  ['é', 1],
  ['e\u0301', 1],
  ['✔ done', 6],
  ['👩‍👩‍👧', 2],
  ['한글', 4],
])('%j takes %i cells', (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test.each([
  ['short', 10, 'short', 'short'],
  ['/home/ann/letters', 9, '/home/an…', '…/letters'],
  ['日本語', 5, '日本…', '…本語'],
  ['日本語', 4, '日…', '…語'],
  ['anything', 0, '', ''],
])('%j in %i cells keeps its beginning or its end', (text, width, beginning, end) => {
  expect(truncateEnd(text, width)).toBe(beginning);
  expect(truncateStart(text, width)).toBe(end);
});

test('whatever the text, it never takes more room than it was given', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, width) => {
      expect(displayWidth(truncateEnd(text, width))).toBeLessThanOrEqual(width);
      expect(displayWidth(truncateStart(text, width))).toBeLessThanOrEqual(width);
    }),
  );
});

test('columns line up with wide characters in them', () => {
  expect(padEnd('日本', 6)).toBe('日本  ');
  expect(padStart('日本', 6)).toBe('  日本');
});

test('a name cannot steer the terminal', () => {
  expect(printable('a\x1b[2Jb\nc\u202ed\ud800')).toBe('a\\x1b[2Jb\\nc\\u{202e}d\\u{d800}');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/\p{Control}/u);
    }),
  );
});
