import type { Node } from '@holdfast/engine';
import { expect, test } from 'vitest';
import type { StoredSlice } from '../../../journal/slice-list.ts';
import type { StoredBase } from '../base/stored-bases.ts';
import type { StoredWalFile } from '../journal/stored-journal.ts';
import type { Lineage } from '../wal/coverage.ts';
import { formatLsn } from '../wal/lsn.ts';
import { segmentName } from '../wal/segment.ts';
import { chooseBase, lineageFiles, nearest, reachableFrom } from './moment.ts';

const SIZE = 1 << 20;
const MIB = BigInt(SIZE);
const FIRST: Lineage = { timeline: 1, history: [] };
const HOUR = 3_600_000;

function file(timeline: number, number: bigint, hour: number, partialTo?: bigint): StoredWalFile {
  const name = segmentName({ timeline, number }, SIZE);
  const found = partialTo === undefined ? { name } : { name: `${name}.partial`, to: partialTo };
  return { ...found, time: hour * HOUR, node: {} as Node, slice: {} as StoredSlice };
}

function base(id: string, lsn: bigint, hour: number, timeline = 1): StoredBase {
  const end = { lsn: formatLsn(lsn), timeline };
  const endedAt = new Date(hour * HOUR).toISOString();
  return { snapshot: { id }, record: { end, endedAt } } as unknown as StoredBase;
}

function journal(...files: StoredWalFile[]) {
  return { segmentSize: SIZE, slices: [], files, latestTimeline: 1, histories: new Map() };
}

function reach(bases: readonly StoredBase[], files: readonly StoredWalFile[], lineage = FIRST) {
  return reachableFrom(bases, lineageFiles(journal(...files), lineage), lineage);
}

const names = (found: ReturnType<typeof reach>) => found.map(({ base }) => base.snapshot.id);
const at = (hour: number) =>
  ({ kind: 'time', instant: Temporal.Instant.fromEpochMilliseconds(hour * HOUR) }) as const;

test('the newest base that ended before the moment is chosen, if WAL leads on from it', () => {
  const found = reach(
    [base('a', 3n * MIB + 9n, 1), base('b', 5n * MIB + 9n, 3), base('alone', 20n * MIB, 9)],
    [3n, 4n, 5n, 6n].map((number) => file(1, number, Number(number) - 1)),
  );
  expect(chooseBase(found, at(2))?.base.snapshot.id).toBe('a');
  expect(chooseBase(found, at(4))?.base.snapshot.id).toBe('b');
  expect(chooseBase(found, { kind: 'lsn', lsn: 5n * MIB + 9n })?.base.snapshot.id).toBe('b');
  expect(chooseBase(found, { kind: 'latest' })?.base.snapshot.id).toBe('alone');
  expect(chooseBase(found, at(1))).toBeUndefined();
});

test('a moment in a gap has neighbours: where the WAL ends, and where the next base begins', () => {
  const found = reach(
    [base('a', 3n * MIB, 1), base('b', 7n * MIB, 8)],
    [file(1, 3n, 2), file(1, 4n, 3), file(1, 7n, 9)],
  );
  expect(chooseBase(found, at(5))).toBeUndefined();
  expect(nearest(found, at(5))).toEqual({
    before: { lsn: 5n * MIB, time: 3 * HOUR },
    after: { lsn: 7n * MIB, time: 8 * HOUR },
  });
});

test('of a segment that two timelines have, recovery reads the later one, and no base of a history that was left', () => {
  const second = { timeline: 2, history: [{ timeline: 1, end: 4n * MIB + 100n }] };
  const files = [file(1, 3n, 1), file(1, 4n, 2), file(1, 5n, 3), file(2, 4n, 4, 4n * MIB + 8192n)];
  const found = reach([base('a', 3n * MIB, 1), base('left', 5n * MIB, 3)], files, second);
  expect(names(found)).toEqual(['a']);
  expect(found[0]?.files.map(({ name }) => name)).toEqual([files[0]?.name, files[3]?.name]);
  expect(names(reach([base('a', 3n * MIB, 1), base('left', 5n * MIB, 3)], files))).toEqual(['a', 'left']);
});

test('a segment whose first page is being filled is replayed, and one that ends before the base is not', () => {
  const filling = reach([base('a', 3n * MIB + 9n, 1)], [file(1, 3n, 1), file(1, 4n, 2, 4n * MIB)]);
  expect(filling[0]?.files).toHaveLength(2);
  expect(filling[0]?.to.time).toBe(2 * HOUR);
  const stale = reach([base('a', 3n * MIB + 90_000n, 1)], [file(1, 3n, 1, 3n * MIB + 8192n)]);
  expect(stale[0]?.files).toEqual([]);
});
