import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TarEntry } from './tar-entry.ts';
import { encodeTarHeader, tarPadding } from './tar-header.ts';

const plain: TarEntry = {
  name: Buffer.from('folder/file'),
  type: 'file',
  mode: 0o4755,
  uid: 1000,
  gid: 100,
  user: 'ann',
  group: 'users',
  size: 1234,
  mtime: 1_700_000_000_000_000_000n,
  atime: 1_700_000_000_000_000_000n,
};

/** The records of the extension before the header, and the header itself. */
function parse(bytes: Buffer): { records: Record<string, string>; header: Buffer } {
  expect(bytes.length % 512).toBe(0);
  const header = bytes.subarray(-512);
  const size = Number.parseInt(bytes.toString('latin1', 124, 135), 8);
  const body = bytes.subarray(512, 512 + size);
  const records: Record<string, string> = {};
  for (let at = 0; at < body.length; ) {
    const length = Number.parseInt(body.toString('latin1', at, at + 10), 10);
    const record = body.toString('latin1', at, at + length);
    expect(record.endsWith('\n')).toBe(true);
    const [, key = '', value = ''] = /^\d+ ([^=]*)=(.*)\n$/s.exec(record) ?? [];
    records[key] = value;
    at += length;
  }
  return { records, header };
}

function text(header: Buffer, at: number, length: number): string {
  return header.toString('latin1', at, at + length).replace(/\0.*$/s, '');
}

test('an ordinary file stands in the header, its times in records', () => {
  const { records, header } = parse(encodeTarHeader(plain));
  expect(records).toEqual({ mtime: '1700000000', atime: '1700000000' });
  expect(text(header, 0, 100)).toBe('folder/file');
  expect(text(header, 100, 8)).toBe('0004755');
  expect(text(header, 108, 8)).toBe('0001750');
  expect(text(header, 124, 12)).toBe('00000002322');
  expect(text(header, 136, 12)).toBe('14524770400');
  expect(text(header, 156, 1)).toBe('0');
  expect(header.toString('latin1', 257, 265)).toBe('ustar\x0000');
  expect(text(header, 265, 32)).toBe('ann');
});

test('the checksum is the sum of the header with blanks in its place', () => {
  const { header } = parse(encodeTarHeader(plain));
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  expect(Number.parseInt(text(header, 148, 8), 8)).toBe(sum);
});

describe('what the header cannot say stands in records', () => {
  test.each<[string, Partial<TarEntry>, Record<string, string>]>([
    ['a long name', { name: Buffer.from('x'.repeat(101)) }, { path: 'x'.repeat(101) }],
    ['a name beyond ASCII', { name: Buffer.from('ü') }, { path: '\xc3\xbc' }],
    [
      'a long name of bytes',
      { name: Buffer.alloc(101, 0xff) },
      { hdrcharset: 'BINARY', path: '\xff'.repeat(101) },
    ],
    [
      'a long target',
      { type: 'symlink', linkName: Buffer.from('y'.repeat(101)) },
      { linkpath: 'y'.repeat(101) },
    ],
    ['large ids', { uid: 2_097_152, gid: 4_294_967_294 }, { uid: '2097152', gid: '4294967294' }],
    ['8 GiB', { size: 2 ** 33 }, { size: '8589934592' }],
    ['a long account', { user: 'a'.repeat(32), group: 'ö' }, { uname: 'a'.repeat(32), gname: '\xc3\xb6' }],
    ['nanoseconds', { mtime: 1_000_000_010n }, { mtime: '1.00000001' }],
    ['times before 1970', { mtime: -1n, atime: -1_500_000_000n }, { mtime: '-0.000000001', atime: '-1.5' }],
  ])('%s', (_, entry, expected) => {
    const { records } = parse(encodeTarHeader({ ...plain, ...entry }));
    expect(records).toEqual({ mtime: '1700000000', atime: '1700000000', ...expected });
  });
});

test('a short name of bytes that are no UTF-8 needs no record', () => {
  const { records, header } = parse(encodeTarHeader({ ...plain, name: Buffer.from([0x61, 0xff]) }));
  expect(records).not.toHaveProperty('path');
  expect(text(header, 0, 100)).toBe('a\xff');
});

test('devices are told as major and minor number', () => {
  const { header } = parse(encodeTarHeader({ ...plain, type: 'dev', size: 0, device: 0x1230_0845n }));
  expect(Number.parseInt(text(header, 329, 8), 8)).toBe(8);
  expect(Number.parseInt(text(header, 337, 8), 8)).toBe(0x12345);
});

test('every record says its own length, whatever the length of its value', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1100 }), (length) => {
      const value = Buffer.alloc(length, 'v');
      const { records } = parse(encodeTarHeader({ ...plain, records: [{ key: Buffer.from('k'), value }] }));
      expect(records['k']).toBe(value.toString());
    }),
  );
});

test('content is filled up to whole blocks', () => {
  expect([0, 1, 511, 512, 513].map((size) => tarPadding(size).length)).toEqual([0, 511, 1, 0, 511]);
});
