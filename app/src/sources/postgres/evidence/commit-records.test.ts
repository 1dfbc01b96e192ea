import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CommitScan } from './commit-records.ts';

const PAGE = 8192;

interface Written {
  readonly manager: number;
  readonly info: number;
  readonly xid: number;
  /** Bytes behind the record's header. */
  readonly data: number;
}

/** Records as the server lays them out from a page's start on; the first page goes on with `rest` bytes of another. */
function layOut(records: readonly Written[], rest = 0): { bytes: Buffer; starts: number[] } {
  const pages: Buffer[] = [];
  let left = 0;
  const starts: number[] = [];
  const room = () => (pages.length === 0 ? 0 : PAGE - left);
  const page = (goesOn: number) => {
    const header = Buffer.alloc(PAGE);
    const long = pages.length % 3 === 0;
    header.writeUInt16LE(0xd10d, 0);
    header.writeUInt16LE((goesOn > 0 ? 1 : 0) | (long ? 2 : 0), 2);
    header.writeUInt32LE(goesOn, 16);
    pages.push(header);
    left = long ? 40 : 24;
  };
  const write = (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; ) {
      if (room() === 0) page(bytes.length - at);
      const piece = Math.min(room(), bytes.length - at);
      bytes.copy(pages.at(-1) ?? Buffer.alloc(0), left, at, at + piece);
      left += piece;
      at += piece;
    }
    left = Math.min(PAGE, Math.ceil(left / 8) * 8);
  };
  write(Buffer.alloc(rest, 1));
  for (const { manager, info, xid, data } of records) {
    const record = Buffer.alloc(24 + data, 7);
    record.writeUInt32LE(record.length, 0);
    record.writeUInt32LE(xid, 4);
    record[16] = info;
    record[17] = manager;
    if (room() === 0) page(0);
    starts.push((pages.length - 1) * PAGE + left);
    write(record);
  }
  return { bytes: Buffer.concat(pages).subarray(0, (pages.length - 1) * PAGE + left), starts };
}

test('every commit is found where its record begins, however the stream is cut', () => {
  const record = fc.record({
    manager: fc.constantFrom(1, 10),
    info: fc.constantFrom(0x00, 0x80, 0x20),
    xid: fc.integer({ min: 3, max: 0xffff_ffff }),
    data: fc.oneof(fc.nat(200), fc.nat(20_000)),
  });
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 30 }),
      fc.oneof(fc.constant(0), fc.nat(20_000)),
      fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1 }),
      (records, rest, cuts) => {
        const { bytes, starts } = layOut(records, rest);
        const from = 0x1_0000_0000n;
        const scan = new CommitScan(from);
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const piece = cuts[turn % cuts.length] ?? 1;
          scan.pass(bytes.subarray(at, at + piece));
          at += piece;
        }
        const expected = records.flatMap(({ manager, info, xid }, at) =>
          manager === 1 && (info & 0x70) === 0 ? [{ lsn: from + BigInt(starts[at] ?? 0), xid }] : [],
        );
        expect(scan.commits).toEqual(expected);
        expect(scan.reached).toBe(from + BigInt(bytes.length));
        expect(scan.lost).toBe(false);
      },
    ),
  );
});

test('a prepared transaction is found without its number', () => {
  const { bytes } = layOut([{ manager: 1, info: 0x30, xid: 0, data: 40 }]);
  const scan = new CommitScan(0n);
  scan.pass(bytes);
  expect(scan.commits).toEqual([{ lsn: 40n, xid: undefined }]);
});

test('behind a switch to the next segment nothing is made out of zeros', () => {
  const { bytes } = layOut([{ manager: 0, info: 0x40, xid: 0, data: 0 }]);
  const scan = new CommitScan(0n);
  scan.pass(bytes);
  scan.pass(Buffer.alloc(2 * PAGE));
  expect(scan).toMatchObject({ lost: true, commits: [] });
});
