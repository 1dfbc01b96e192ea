import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goString, goStringOfBytes } from './go-json.ts';

test('any text comes back through JSON', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(JSON.parse(goString(text))).toBe(text.toWellFormed());
      expect(goStringOfBytes(Buffer.from(text))).toBe(goString(text));
    }),
  );
});

// Expected values as Go 1.22 and later print them.
test.each([
  ['plain', '"plain"'],
  ['a"b\\c', String.raw`"a\"b\\c"`],
  ['<a href="?x&y">', String.raw`"\u003ca href=\"?x\u0026y\"\u003e"`],
  ['\n\r\t\b\f\u0001\u007f', '"\\n\\r\\t\\b\\f\\u0001\u007f"'],
  ['line\u2028paragraph\u2029', String.raw`"line\u2028paragraph\u2029"`],
  ['häß 日本 😀', '"häß 日本 😀"'],
])('%j is written as Go writes it', (text, json) => {
  expect(goString(text)).toBe(json);
});

test('each byte that is no UTF-8 is replaced, as in Go', () => {
  expect(goStringOfBytes(Buffer.from([0x61, 0xe2, 0x82, 0xff, 0xc3, 0xa4, 0x3c]))).toBe(
    String.raw`"a\ufffd\ufffd\ufffdä\u003c"`,
  );
});
