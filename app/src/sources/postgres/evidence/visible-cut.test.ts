import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseVisible, visibleCut } from './visible-cut.ts';

const commits = (...xids: (number | undefined)[]) => xids.map((xid, at) => ({ lsn: BigInt(at * 100), xid }));

test('the log is cut before the first commit that is not visible', () => {
  const visible = parseVisible('10:14:12,13');
  expect(visible).toEqual({ end: 14n, inProgress: [12n, 13n] });
  expect(visibleCut(commits(10, 11, 12, 15), visible, 900n)).toBe(200n);
  expect(visibleCut(commits(10, 11), visible, 900n)).toBe(900n);
  expect(visibleCut([], visible, 900n)).toBe(900n);
});

test('a commit that overtook another one leaves no place to cut', () => {
  expect(visibleCut(commits(10, 12, 11), parseVisible('10:14:12'), 900n)).toBeUndefined();
});

test('what was committed after the look does not matter, whatever it is', () => {
  expect(visibleCut(commits(10, 12, 11), parseVisible('10:14:12'), 200n)).toBe(100n);
});

test('a prepared transaction, whose number is not in its record, is not guessed', () => {
  expect(visibleCut(commits(10, undefined), parseVisible('10:14:'), 900n)).toBeUndefined();
});

test('numbers that have come round are told apart by what is near', () => {
  const end = 2n ** 32n + 5n;
  const visible = { end, inProgress: [2n ** 32n - 1n] };
  expect(visibleCut(commits(0xffff_fffe, 2, 0xffff_ffff), visible, 900n)).toBe(200n);
  expect(visibleCut(commits(6), visible, 900n)).toBe(0n);
});

test('whatever the order of commits, all that is before the cut is visible and nothing behind it is', () => {
  const xid = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(fc.uniqueArray(xid), xid, fc.uniqueArray(xid), (order, end, inProgress) => {
      const visible = { end: BigInt(end), inProgress: inProgress.map(BigInt) };
      const isVisible = (number: number) => number < end && !inProgress.includes(number);
      const written = commits(...order);
      const cut = visibleCut(written, visible, 10_000n);
      const fits = (at: number) => order.every((number, index) => isVisible(number) === index < at);
      const places = Array.from({ length: order.length + 1 }, (_, at) => at).filter(fits);
      if (cut === undefined) expect(places).toEqual([]);
      else expect(places).toContain(cut === 10_000n ? order.length : Number(cut / 100n));
    }),
  );
});
