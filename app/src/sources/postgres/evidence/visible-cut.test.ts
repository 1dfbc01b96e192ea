import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseVisible, visibleCut } from './visible-cut.ts';

const commits = (...xids: (number | undefined)[]) => xids.map((xid, at) => ({ lsn: BigInt(at * 100), xid }));

const cutAt = (lsn: bigint, ...overtaken: bigint[]) => ({ lsn, overtaken });

test('the log is cut behind the last commit that is visible', () => {
  const visible = parseVisible('10:14:12,13');
  expect(visible).toEqual({ end: 14n, inProgress: [12n, 13n] });
  expect(visibleCut(commits(10, 11, 12, 15), visible, 900n)).toEqual(cutAt(200n));
  expect(visibleCut(commits(10, 11), visible, 900n)).toEqual(cutAt(900n));
  expect(visibleCut([], visible, 900n)).toEqual(cutAt(900n));
});

test('a commit that was overtaken is told', () => {
  const visible = parseVisible('10:14:12');
  expect(visibleCut(commits(10, 12, 11, 15), visible, 900n)).toEqual(cutAt(300n, 12n));
});

test('what was committed after the look does not matter, whatever it is', () => {
  expect(visibleCut(commits(10, 12, 11), parseVisible('10:14:12'), 200n)).toEqual(cutAt(100n));
});

test('a prepared transaction, whose number is not in its record, is not guessed', () => {
  expect(visibleCut(commits(10, undefined), parseVisible('10:14:'), 900n)).toBeUndefined();
});

test('numbers that have come round are told apart by what is near', () => {
  const end = 2n ** 32n + 5n;
  const visible = { end, inProgress: [2n ** 32n - 1n] };
  expect(visibleCut(commits(0xffff_fffe, 2, 0xffff_ffff), visible, 900n)).toEqual(cutAt(200n));
  expect(visibleCut(commits(6), visible, 900n)).toEqual(cutAt(0n));
});

test('whatever the order of commits, what is before the cut is what is visible, but for those that are told', () => {
  const xid = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(fc.uniqueArray(xid), xid, fc.uniqueArray(xid), (order, end, inProgress) => {
      const visible = { end: BigInt(end), inProgress: inProgress.map(BigInt) };
      const isVisible = (number: number) => number < end && !inProgress.includes(number);
      const cut = visibleCut(commits(...order), visible, 10_000n);
      const at = cut?.lsn === 10_000n ? order.length : Number((cut?.lsn ?? 0n) / 100n);
      const told = cut?.overtaken.map(Number) ?? [];
      expect(order.slice(0, at).filter((number) => !told.includes(number))).toEqual(order.filter(isVisible));
      expect(told.filter(isVisible)).toEqual([]);
    }),
  );
});
