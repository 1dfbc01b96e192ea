import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pathBytes, pathText } from './path-text.ts';

const bytes = fc
  .oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc
      .array(
        fc.oneof(
          fc.string({ unit: 'binary' }).map((s) => Buffer.from(s)),
          fc.uint8Array({ maxLength: 3 }),
        ),
      )
      .map(Buffer.concat),
  )
  .map((array) => Buffer.from(array));

test('any bytes survive as text', () => {
  fc.assert(fc.property(bytes, (name) => void expect(pathBytes(pathText(name))).toEqual(name)));
});

test('two names never share a text', () => {
  fc.assert(fc.property(bytes, bytes, (a, b) => void expect(pathText(a) === pathText(b)).toBe(a.equals(b))));
});

test('text is what people read, and only foreign bytes are escaped', () => {
  expect(pathText(Buffer.from('Größe 日本 😀'))).toBe('Größe 日本 😀');
  expect(pathText(Buffer.from([0x61, 0xe4, 0x62, 0xc3, 0xa4, 0xff]))).toBe('a\udce4bä\udcff');
  expect(pathText(Buffer.from([0xed, 0xa0, 0x80]))).toBe('\udced\udca0\udc80');
  expect(pathText(Buffer.from([0xf0, 0x9f, 0x98]))).toBe('\udcf0\udc9f\udc98');
});

test('a text survives the way to a worker thread', () => {
  const text = pathText(Buffer.from([0x61, 0xff, 0x80]));
  expect(structuredClone(text)).toBe(text);
  expect(JSON.parse(JSON.stringify(text))).toBe(text);
});
