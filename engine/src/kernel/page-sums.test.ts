import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPageSums } from './page-sums.ts';

const sums = createPageSums();

function crc(...pieces: Uint8Array[]): number {
  sums.begin();
  for (const piece of pieces) sums.add(piece);
  return sums.end().crc32c;
}

test("the CRC is Castagnoli's, by the vectors of RFC 3720", () => {
  expect(crc(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc(Buffer.from(Array.from({ length: 32 }, (_, at) => at)))).toBe(0x46dd794e);
  expect(crc()).toBe(0);
});

test('four lanes side by side sum what one byte after the other does', () => {
  const file = Buffer.alloc(100_003);
  for (let at = 0; at < file.length; at++) file[at] = (at * at * 31 + at) >>> 3;
  let sum = ~0;
  for (const byte of file) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  }
  expect(crc(file)).toBe(~sum >>> 0);
});

test('it does not matter in which pieces a file comes', () => {
  const file = Buffer.alloc(2_500_001, 'pieces of a file');
  const whole = crc(file);
  fc.assert(
    fc.property(fc.nat(file.length), fc.nat(file.length), (one, two) => {
      const [first, second] = [Math.min(one, two), Math.max(one, two)];
      return crc(file.subarray(0, first), file.subarray(first, second), file.subarray(second)) === whole;
    }),
    { numRuns: 20 },
  );
});

test('new pages have no checksum, and a page changed since is passed over', () => {
  const page = Buffer.alloc(8192, 7);
  const wrong = (since: bigint) => {
    const found: number[] = [];
    sums.begin({ firstBlock: 10, since, onWrong: (block) => found.push(block) });
    sums.add(Buffer.alloc(8192));
    sums.add(page);
    expect(sums.end().pages).toBe(2);
    return found;
  };
  page.writeUInt32LE(1, 0);
  page.writeUInt32LE(500, 4);
  expect(wrong(0x1_0000_0000n + 500n)).toEqual([]);
  expect(wrong(0x1_0000_0000n + 501n)).toEqual([11]);
});
