import type { BigIntStats } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EntryList, type SeenEntry } from './entry-list.ts';

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(BigInt);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const time = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const stat = fc
  .record({
    mode: u32,
    uid: u32,
    gid: u32,
    nlink: u32,
    ino: u64,
    size: fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) }),
    mtimeNs: time,
    ctimeNs: time,
    atimeNs: time,
    dev: u64,
    rdev: u64,
  })
  .map((fields) => fields as unknown as BigIntStats);
/** Any bytes but / and NUL, one character each. */
const name = fc
  .uint8Array({ minLength: 1, maxLength: 255 })
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0 && byte !== 0x2f)).toString('latin1'));
const entries = fc.array(fc.record<SeenEntry>({ name, stat }), { maxLength: 12 });

function read(list: EntryList, index: number) {
  return {
    name: list.name(index),
    mode: list.mode(index),
    uid: list.uid(index),
    gid: list.gid(index),
    links: list.links(index),
    inode: list.inode(index),
    size: list.size(index),
    mtime: list.mtime(index),
    ctime: list.ctime(index),
    device: list.device(index),
    rdev: list.rdev(index),
    atime: list.atime(index),
  };
}

function all(list: EntryList) {
  return Array.from({ length: list.length }, (_, index) => read(list, index));
}

function wanted({ name, stat }: SeenEntry, withAtime: boolean) {
  return {
    name,
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    links: Number(stat.nlink),
    inode: stat.ino,
    size: Number(stat.size),
    mtime: stat.mtimeNs,
    ctime: stat.ctimeNs,
    device: stat.dev,
    rdev: stat.rdev,
    atime: withAtime ? stat.atimeNs : stat.mtimeNs,
  };
}

test('whatever was seen of a directory is told back, also from its bytes', () => {
  fc.assert(
    fc.property(entries, fc.boolean(), (seen, withAtime) => {
      const list = EntryList.of(seen, withAtime);
      expect(all(list)).toEqual(seen.map((entry) => wanted(entry, withAtime)));
      expect(all(EntryList.parse(Buffer.from(list.bytes)))).toEqual(all(list));
    }),
  );
});

test('two looks have the same bytes when, and only when, they saw the same', () => {
  fc.assert(
    fc.property(entries, entries, (first, second) => {
      const same = JSON.stringify(first, plain) === JSON.stringify(second, plain);
      expect(EntryList.of(first, true).bytes.equals(EntryList.of(second, true).bytes)).toBe(same);
      expect(EntryList.of(first, true).bytes.equals(EntryList.of([...first], true).bytes)).toBe(true);
    }),
  );
});

test('entries can be left out, taken over from a later look, resized and doubted, and the others stay as they are', () => {
  fc.assert(
    fc.property(entries, stat, fc.nat(), fc.nat(), (seen, later, pick, mask) => {
      fc.pre(seen.length > 0);
      const index = pick % seen.length;
      const before = seen.map((entry) => wanted(entry, false));
      const kept = EntryList.of(seen).filter((position) => ((mask >> position) & 1) === 1);
      expect(all(kept)).toEqual(before.filter((_, position) => ((mask >> position) & 1) === 1));

      const list = EntryList.of(seen);
      list.adopt(index, EntryList.of([{ name: 'another name', stat: later }]), 0);
      const adopted = before.with(index, wanted({ name: seen[index]!.name, stat: later }, false));
      expect(all(list)).toEqual(adopted);
      list.setSize(index, 12_345_678_901);
      list.doubt(index);
      expect(all(list)).toEqual(adopted.with(index, { ...adopted[index]!, size: 12_345_678_901, links: 0 }));
    }),
  );
});

test('asking for an entry that is not there is a mistake that shows', () => {
  expect(() => EntryList.of([]).name(0)).toThrow(RangeError);
});

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
