import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NotSftp, packetCutter } from './packets.ts';
import { FieldReader, fields } from './wire.ts';

test('what is written as fields is read as the same fields', () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 32 - 1),
      fc.maxSafeNat(),
      fc.string(),
      fc.uint8Array(),
      (number, long, text, bytes) => {
        const reader = new FieldReader(fields(number, BigInt(long), text, bytes));
        expect([reader.uint32(), reader.uint64(), reader.text(), new Uint8Array(reader.string())]).toEqual([
          number,
          long,
          text,
          bytes,
        ]);
        expect(reader.atEnd).toBe(true);
      },
    ),
  );
});

test('an answer that ends too soon is an error, wherever it ends', () => {
  const whole = fields(7, 5n, 'name', 0x0f, 3n, 1, 2, 0o100644, 5, 6);
  const read = (bytes: Buffer) => {
    const reader = new FieldReader(bytes);
    return [reader.uint32(), reader.uint64(), reader.text(), reader.attributes()];
  };
  expect(read(whole)).toEqual([7, 5, 'name', { size: 3, mode: 0o100644, modified: 6000 }]);
  for (let length = 0; length < whole.length; length++) {
    expect(() => read(whole.subarray(0, length))).toThrow(expect.objectContaining({ name: 'SftpError' }));
  }
});

test('attributes that we do not know are passed over', () => {
  const reader = new FieldReader(fields(0x8000_0001, 9n, 1, 'acl', 'x', 42));
  expect([reader.attributes(), reader.uint32()]).toEqual([{ size: 9 }, 42]);
});

test('packets are found however the stream is cut', () => {
  const packet = fc.uint8Array({ minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(fc.array(packet), fc.integer({ min: 1, max: 60 }), (packets, step) => {
      const stream = fields(...packets);
      const cut = packetCutter();
      const found: Buffer[] = [];
      for (let at = 0; at < stream.length; at += step) found.push(...cut(stream.subarray(at, at + step)));
      expect(found.map((bytes) => new Uint8Array(bytes))).toEqual(packets);
    }),
  );
});

test('text in the place of packets is noticed at once', () => {
  expect(() => packetCutter()(Buffer.from('Welcome to this machine\n'))).toThrow(NotSftp);
  expect(() => packetCutter()(Buffer.from([0, 0, 0, 0]))).toThrow(NotSftp);
});
