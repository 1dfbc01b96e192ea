import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { segmentNumbers, walCoverage } from './coverage.ts';
import { formatLsn, parseLsn } from './lsn.ts';
import {
  assertSegmentSize,
  historyName,
  parseWalName,
  segmentName,
  segmentNumber,
  segmentOffset,
  segmentStart,
  startOfSegment,
} from './segment.ts';
import { parseTimelineHistory, timelineAt } from './timeline-history.ts';

const MIB = 1 << 20;
const DEFAULT = 16 * MIB;
const sizes = fc.integer({ min: 20, max: 30 }).map((power) => 2 ** power);
const lsns = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const timelines = fc.integer({ min: 1, max: 0xffff_ffff });

const named = (timeline: number, ...numbers: number[]) =>
  numbers.map((number) => ({ name: segmentName({ timeline, number: BigInt(number) }, DEFAULT) }));
const at = (segments: number) => BigInt(Math.round(segments * DEFAULT));

describe('names of WAL files', () => {
  test('are those that a server gives', () => {
    const lsn = parseLsn('A3/FE0000FF');
    const number = segmentNumber(lsn, DEFAULT);
    expect(segmentName({ timeline: 1, number }, DEFAULT)).toBe('00000001000000A3000000FE');
    expect(segmentName({ timeline: 1, number: segmentNumber(lsn, 64 * MIB) }, 64 * MIB)).toBe(
      '00000001000000A30000003F',
    );
    const beyond = segmentNumber(parseLsn('1/40000000'), 1024 * MIB);
    expect(segmentName({ timeline: 31, number: beyond }, 1024 * MIB)).toBe('0000001F0000000100000001');
    expect(historyName(26)).toBe('0000001A.history');
  });

  test('tell timeline and position again, whatever the segment size', () => {
    fc.assert(
      fc.property(sizes, lsns, timelines, (size, lsn, timeline) => {
        const number = segmentNumber(lsn, size);
        const name = segmentName({ timeline, number }, size);
        expect(name).toMatch(/^[0-9A-F]{24}$/);
        expect(parseWalName(name, size)).toEqual({ kind: 'segment', timeline, number });
        expect(parseWalName(`${name}.partial`, size)).toEqual({ kind: 'partial', timeline, number });
        expect(segmentStart(lsn, size)).toBe(startOfSegment(number, size));
        expect(startOfSegment(number, size) + BigInt(segmentOffset(lsn, size))).toBe(lsn);
      }),
    );
  });

  test.each([
    '00000001000000A3000000FE.00000028.backup',
    '00000001000000a3000000fe',
    '00000001000000A300000100',
    '00000000000000A3000000FE',
    'archive_status',
    '00000002.history.tmp',
    'xlogtemp.123',
  ])('leave out what is none: %s', (name) => {
    expect(parseWalName(name, DEFAULT)).toBeUndefined();
  });

  test('a segment size that no server can have is refused', () => {
    expect(() => assertSegmentSize(DEFAULT)).not.toThrow();
    for (const size of [0, 3 * MIB, MIB / 2, 2 ** 31])
      expect(() => assertSegmentSize(size)).toThrow(/no size/);
  });
});

describe('positions', () => {
  test('are read as they are written', () => {
    fc.assert(fc.property(lsns, (lsn) => parseLsn(formatLsn(lsn)) === lsn));
    expect(formatLsn(0x16b374d848n)).toBe('16/B374D848');
  });

  test.each(['', '1', '1/', '/1', '1/2/3', '0/100000000', 'x/1', '-1/0'])('refuse "%s"', (text) => {
    expect(() => parseLsn(text)).toThrow(/no position/);
  });
});

describe('a timeline history', () => {
  const text =
    '1\t0/3000060\tno recovery target specified\n\n# twice promoted\n2\t0/50001A8\tbefore 2026-11-21\n';

  test('says where each timeline was left', () => {
    const history = parseTimelineHistory(text);
    expect(history).toEqual([
      { timeline: 1, end: 0x3000060n },
      { timeline: 2, end: 0x50001a8n },
    ]);
    expect([0n, 0x300005fn, 0x3000060n, 0x50001a8n].map((lsn) => timelineAt(lsn, 3, history))).toEqual([
      1, 1, 2, 3,
    ]);
  });

  test.each(['one\t0/1\n', '1\tnowhere\n', '2\t0/1\n1\t0/2\n', '1\n'])(
    'that makes no sense is refused: %j',
    (bad) => {
      expect(() => parseTimelineHistory(bad)).toThrow(/makes no sense/);
    },
  );
});

describe('what a set of WAL files covers', () => {
  const alone = { timeline: 1, history: [] };

  test('one range when none is missing, in whatever order they come', () => {
    expect(walCoverage(named(1, 5, 3, 4), DEFAULT, alone)).toEqual([{ from: at(3), to: at(6) }]);
  });

  test('two when one is missing', () => {
    expect(walCoverage(named(1, 3, 5), DEFAULT, alone)).toEqual([
      { from: at(3), to: at(4) },
      { from: at(5), to: at(6) },
    ]);
  });

  test('exactly the segments that are there', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(40)), (numbers) => {
        const ranges = walCoverage(named(1, ...numbers), DEFAULT, alone);
        const covered = ranges.flatMap(({ from, to }) => [...segmentNumbers(from, to, DEFAULT)].map(Number));
        expect(covered).toEqual(numbers.toSorted((a, b) => a - b));
        for (const [index, range] of ranges.entries())
          expect(range.from > (ranges[index - 1]?.to ?? -1n)).toBe(true);
      }),
    );
  });

  test('a partial segment as far as it is filled, if it says so', () => {
    const partial = `${named(1, 4)[0]?.name}.partial`;
    expect(walCoverage([...named(1, 3), { name: partial, to: at(4.5) }], DEFAULT, alone)).toEqual([
      { from: at(3), to: at(4.5) },
    ]);
    expect(walCoverage([...named(1, 3), { name: partial }], DEFAULT, alone)).toEqual([
      { from: at(3), to: at(4) },
    ]);
  });

  test('across a switch: the old timeline up to it, the new one from its segment on', () => {
    const lineage = { timeline: 2, history: [{ timeline: 1, end: at(4.25) }] };
    expect(walCoverage([...named(1, 3), ...named(2, 4, 5)], DEFAULT, lineage)).toEqual([
      { from: at(3), to: at(6) },
    ]);
    // What the old timeline wrote behind the switch never happened, and another's files are nobody's.
    expect(walCoverage([...named(1, 3, 4, 5), ...named(7, 5)], DEFAULT, lineage)).toEqual([
      { from: at(3), to: at(4.25) },
    ]);
  });

  test('nothing when there is nothing', () => {
    expect(walCoverage([{ name: '00000002.history' }], DEFAULT, alone)).toEqual([]);
    expect([...segmentNumbers(5n, 5n, DEFAULT)]).toEqual([]);
  });
});
