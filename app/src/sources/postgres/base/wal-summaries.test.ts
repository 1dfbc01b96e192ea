import { expect, test } from 'vitest';
import { parseRelationPath, type RelationFile } from './relation-file.ts';
import { covers, rangesBetween, Truncations } from './wal-summaries.ts';

test('what lies between two bases is told timeline by timeline', () => {
  const from = { timeline: 1, lsn: 100n };
  expect(rangesBetween(from, { timeline: 1, lsn: 300n }, [])).toEqual([
    { timeline: 1, from: 100n, to: 300n },
  ]);
  const history = [
    { timeline: 1, end: 200n },
    { timeline: 3, end: 250n },
  ];
  expect(rangesBetween(from, { timeline: 4, lsn: 300n }, history)).toEqual([
    { timeline: 1, from: 100n, to: 200n },
    { timeline: 3, from: 200n, to: 250n },
    { timeline: 4, from: 250n, to: 300n },
  ]);
  expect(rangesBetween({ timeline: 3, lsn: 210n }, { timeline: 4, lsn: 300n }, history)[0]).toEqual({
    timeline: 3,
    from: 210n,
    to: 250n,
  });
});

test('summaries cover a range only without a hole', () => {
  const range = { timeline: 1, from: 100n, to: 200n };
  expect(
    covers(range, [
      { from: 150n, to: 220n },
      { from: 90n, to: 150n },
    ]),
  ).toBe(true);
  expect(
    covers(range, [
      { from: 90n, to: 149n },
      { from: 150n, to: 220n },
    ]),
  ).toBe(false);
  expect(covers(range, [{ from: 90n, to: 199n }])).toBe(false);
  expect(covers(range, [])).toBe(false);
});

test('of a relation that was made shorter twice the shortest length counts, and for its rows alone', () => {
  const truncations = new Truncations();
  truncations.add(1663, 5, 16384, 70);
  truncations.add(1663, 5, 16384, 30);
  truncations.add(1663, 5, 16384, 50);
  const fewest = (path: string) => truncations.fewestPages(parseRelationPath(path) as RelationFile);
  expect(fewest('base/5/16384')).toBe(30);
  expect(fewest('base/5/16384.1')).toBe(30);
  expect(fewest('base/5/16384_init')).toBe(Number.POSITIVE_INFINITY);
  expect(fewest('base/6/16384')).toBe(Number.POSITIVE_INFINITY);
});

test('a path says which relation it is of', () => {
  expect(parseRelationPath('base/5/16384_vm.2')).toEqual({
    tablespace: 1663,
    database: 5,
    relation: 16384,
    fork: 'vm',
    segment: 2,
  });
  expect(parseRelationPath('global/1262')).toMatchObject({ tablespace: 1664, database: 0, relation: 1262 });
  expect(parseRelationPath('pg_tblspc/16390/PG_18_202506291/5/17000')).toMatchObject({
    tablespace: 16390,
    database: 5,
    fork: 'main',
    segment: 0,
  });
  expect(parseRelationPath('base/5/PG_VERSION')).toBeUndefined();
});
