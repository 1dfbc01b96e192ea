import { expect, test } from 'vitest';
import { FILE_STATE, Ledger, type LedgerEntry, TARGET, TARGET_ENTRY } from './ledger.ts';

const entry = (more: Partial<LedgerEntry>): LedgerEntry => ({ ...TARGET_ENTRY, existing: false, ...more });

test('what is written is read back, by another thread as well', () => {
  const ledger = Ledger.create();
  const directory = ledger.append(entry({ name: 'd\xe4', mode: 0o2755 }));
  const attributes = [
    { name: Buffer.from('user.a'), value: Buffer.from([0, 255, 0]) },
    { name: Buffer.from('user.empty'), value: Buffer.alloc(0) },
  ];
  const record = ledger.append(
    entry({
      directory,
      name: 'f',
      mode: 0o4711,
      uid: 2 ** 32 - 1,
      gid: 7,
      size: 2 ** 45 + 1,
      mtime: -1n,
      atime: 1_700_000_000_123_456_789n,
      attributes,
      blobs: [5, 2 ** 31, 0],
      scrub: true,
    }),
  );
  const other = new Ledger(ledger.shared);
  expect(other.pathOf(record)).toBe('/d\xe4/f');
  expect(other.directoryOf(record)).toBe(directory);
  expect(other.directoryOf(directory)).toBe(TARGET);
  expect([other.modeOf(record), other.uidOf(record), other.gidOf(record)]).toEqual([0o4711, 2 ** 32 - 1, 7]);
  expect(other.sizeOf(record)).toBe(2 ** 45 + 1);
  expect(other.timesOf(record)).toEqual({ mtime: -1n, atime: 1_700_000_000_123_456_789n });
  expect(other.attributesOf(record)).toEqual(attributes);
  expect([0, 1, 2].map((position) => other.blobAt(record, position))).toEqual([5, 2 ** 31, 0]);
  expect([other.needsScrub(record), other.isExisting(record), other.needsScrub(directory)]).toEqual([
    true,
    false,
    false,
  ]);
});

test('many entries make it grow', () => {
  const ledger = Ledger.create();
  const other = new Ledger(ledger.shared);
  const records = Array.from({ length: 60_000 }, (_, index) =>
    ledger.append(entry({ name: `file ${index}`, size: index })),
  );
  const last = records.at(-1) as number;
  expect([other.nameOf(last), other.sizeOf(last)]).toEqual(['file 59999', 59_999]);
  expect(ledger.shared.byteLength / records.length).toBeLessThan(150);
});

test('a time that no file system keeps becomes the last one that it does', () => {
  const ledger = Ledger.create();
  const record = ledger.append(entry({ mtime: 10n ** 20n, atime: 5n }));
  expect(ledger.timesOf(record)).toEqual({ mtime: 2n ** 63n - 1n, atime: 5n });
});

test("Go's zero time is none", () => {
  const ledger = Ledger.create();
  const none = -62_135_596_800_000_000_000n;
  expect(ledger.timesOf(ledger.append(entry({ mtime: none, atime: none })))).toBeUndefined();
  expect(ledger.timesOf(ledger.append(entry({ mtime: 7n, atime: none })))).toEqual({ mtime: 7n, atime: 7n });
});

test('one thread makes a file and one brings its last blob', () => {
  const ledger = Ledger.create();
  const record = ledger.append(entry({ blobs: [1, 2] }));
  expect([ledger.beginMaking(record), ledger.beginMaking(record)]).toEqual([true, false]);
  ledger.settle(record, FILE_STATE.there);
  expect(ledger.awaitMade(record)).toBe(FILE_STATE.there);
  expect([ledger.arrived(record), ledger.arrived(record)]).toEqual([false, true]);
  expect([ledger.markDamaged(record), ledger.markDamaged(record)]).toEqual([true, false]);
});
