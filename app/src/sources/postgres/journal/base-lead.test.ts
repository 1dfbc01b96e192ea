import { describe, expect, test } from 'vitest';
import { leadsTo } from './base-lead.ts';

const MIB = 2n ** 20n;
const SEGMENT = 16n * MIB;
const FIRST = { timeline: 1, history: [] };
/** Segments 1, 2, 3 of timeline 1. */
const files = ['1', '2', '3'].map((number) => ({ name: `00000001000000000000000${number}` }));
const leads = (
  from: bigint,
  base: bigint,
  { timeline = 1, lineage = FIRST as Parameters<typeof leadsTo>[4], names = files } = {},
) => leadsTo(from, [{ timeline, lsn: base }], names, Number(SEGMENT), lineage);

describe('a base leads to a stream', () => {
  test('that begins before the base ends', () => {
    expect(leads(4n * SEGMENT, 4n * SEGMENT + 5n, { names: [] })).toBe(true);
  });

  test('when the files between them are there', () => {
    expect(leads(4n * SEGMENT, SEGMENT + 5n)).toBe(true);
    expect(leads(4n * SEGMENT, SEGMENT - 5n)).toBe(false);
    expect(leads(5n * SEGMENT, SEGMENT + 5n)).toBe(false);
    const holed = files.filter(({ name }) => !name.endsWith('2'));
    expect(leads(4n * SEGMENT, SEGMENT + 5n, { names: holed })).toBe(false);
    expect(leads(4n * SEGMENT, 3n * SEGMENT + 5n, { names: holed })).toBe(true);
  });

  test('over a promotion, unless the base holds what the new timeline never had', () => {
    const lineage = { timeline: 2, history: [{ timeline: 1, end: 4n * SEGMENT }] };
    expect(leads(4n * SEGMENT, SEGMENT + 5n, { lineage })).toBe(true);
    expect(leads(4n * SEGMENT, 4n * SEGMENT + 9n, { lineage })).toBe(false);
    expect(leads(4n * SEGMENT, 4n * SEGMENT + 9n, { lineage, timeline: 2 })).toBe(true);
  });

  test('never when there is no base', () => {
    expect(leadsTo(SEGMENT, [], files, Number(SEGMENT), FIRST)).toBe(false);
  });
});
