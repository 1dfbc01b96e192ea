import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../kernel/failure.ts';
import { quote, unquote } from './go-quote.ts';

describe('quoting names', () => {
  test('any bytes survive', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const name = Buffer.from(bytes);
        expect(unquote(quote(name)).equals(name)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('any text survives', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const name = Buffer.from(text);
        expect(unquote(quote(name)).equals(name)).toBe(true);
      }),
    );
  });

  // Expected values as Go's strconv.Quote prints them.
  test.each([
    ['plain name.txt', 'plain name.txt'],
    ['<a&b>', '<a&b>'],
    ['say "hi"\\', String.raw`say \"hi\"\\`],
    ['\u0007\b\f\n\r\t\v', String.raw`\a\b\f\n\r\t\v`],
    ['\u0000\u001b\u007f', String.raw`\x00\x1b\x7f`],
    ['häß 日本 😀', 'häß 日本 😀'],
    ['no-break\u00a0space', String.raw`no-break\u00a0space`],
    ['\u200b\ufeff\u2028\ue000', String.raw`\u200b\ufeff\u2028\ue000`],
    ['\u{e0001}', String.raw`\U000e0001`],
    ['\ufffd', '\ufffd'],
  ])('%j is quoted as Go quotes it', (name, quoted) => {
    expect(quote(Buffer.from(name))).toBe(quoted);
  });

  test('bytes that are no UTF-8 are quoted one by one', () => {
    expect(quote(Buffer.from([0x61, 0xff, 0xe2, 0x82, 0xc3, 0xa4]))).toBe(String.raw`a\xff\xe2\x82ä`);
  });
});

describe('unquoting names', () => {
  test.each([
    [String.raw`\101\377`, '41ff'],
    [String.raw`\xFF\u00E4`, 'ffc3a4'],
    [String.raw`\U0001F600`, 'f09f9880'],
  ])('%s is read as Go reads it', (quoted, hex) => {
    expect(unquote(quoted).toString('hex')).toBe(hex);
  });

  test.each(['\\', 'a"b', 'a\nb', '\\x4', '\\xzz', '\\ud800', '\\U00110000', '\\400', '\\08', "\\'", '\\q'])(
    '%j is damage',
    (quoted) => {
      expect(() => unquote(quoted)).toThrow(expect.objectContaining({ code: 'repository.damaged' }));
    },
  );

  test('garbage is told, never a crash', () => {
    const garbage = fc
      .array(fc.constantFrom('\\', 'x', 'u', 'U', '0', '1', '7', 'f', '"', '\n', 'ä'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(garbage, (quoted) => {
        try {
          unquote(quoted);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});
