import { describe, expect, test } from 'vitest';
import type { StoredSnapshot } from '../format/types.ts';
import type { Id } from '../kernel/id.ts';
import { MemoryRepository, testSnapshot } from '../testing/memory-repository.ts';
import {
  filterSnapshots,
  parseSnapshotReference,
  parseTagLists,
  resolveFolder,
  resolveNode,
  selectSnapshot,
} from './snapshot-selection.ts';

function stored(id: string, rest: Partial<StoredSnapshot>): StoredSnapshot {
  return { ...testSnapshot(rest), id: id.padEnd(64, '0') as Id };
}

const monday = stored('a1', { time: '2026-11-16T10:00:00+07:00', tags: ['daily', 'eu'] });
const tuesday = stored('a2', { time: '2026-11-17T10:00:00Z', hostname: 'server', paths: ['/etc', '/srv'] });
// Later than Tuesday's by its clock on the wall, earlier in truth.
const abroad = stored('b3', { time: '2026-11-17T16:00:00+07:00', tags: ['weekly'] });
const all = [monday, tuesday, abroad];

describe('a snapshot is named by', () => {
  test.each([
    ['its full id', monday.id, monday],
    ['the beginning of its id', 'a2', tuesday],
    ['one digit that no other begins with', 'b', abroad],
    ['digits in upper case', 'A1', monday],
    ['latest', 'latest', tuesday],
    ['latest~0', 'latest~0', tuesday],
    ['latest~1, the one before', 'latest~1', abroad],
    ['latest~2', 'latest~2', monday],
  ])('%s', (_, selector, expected) => {
    expect(selectSnapshot(all, selector)).toBe(expected);
  });
});

test('of two snapshots at the same moment, the latest is always the same one', () => {
  const twin = stored('ff', { time: tuesday.time });
  expect(selectSnapshot([tuesday, twin], 'latest')).toBe(selectSnapshot([twin, tuesday], 'latest'));
});

test('the latest is the latest of those that pass the filter', () => {
  expect(selectSnapshot(all, 'latest', { hosts: ['desk'] })).toBe(abroad);
  expect(selectSnapshot(all, 'latest', { tags: [['daily']] })).toBe(monday);
});

test('an ambiguous beginning names the candidates', () => {
  expect(() => selectSnapshot(all, 'a')).toThrow(
    expect.objectContaining({
      code: 'snapshot.ambiguous',
      message: expect.stringMatching(/a1000000 \(2026-11-16\), a2000000/),
    }),
  );
  expect(selectSnapshot(all, 'a', { hosts: ['server'] })).toBe(tuesday);
});

test.each([
  ['c', {}, 'begins with c'],
  ['latest~3', {}, 'only 3'],
  ['latest', { hosts: ['nowhere'] }, 'there is none'],
  ['a1', { hosts: ['server'] }, 'not among those'],
  ['yesterday', {}, 'names no snapshot'],
  ['', {}, 'names no snapshot'],
  ['\x1b[2J', {}, '\\x1b[2J'],
])('%j with %j is not found, and it is said why', (selector, filter, reason) => {
  expect(() => selectSnapshot(all, selector, filter)).toThrow(
    expect.objectContaining({ code: 'snapshot.not-found', message: expect.stringContaining(reason) }),
  );
});

test('tags in one flag are wanted together, flags are alternatives, an empty one means no tags', () => {
  const tagged = (...flags: string[]) => filterSnapshots(all, { tags: parseTagLists(flags) });
  expect(tagged('daily,eu')).toEqual([monday]);
  expect(tagged('daily,weekly')).toEqual([]);
  expect(tagged('daily', 'weekly')).toEqual([monday, abroad]);
  expect(tagged('')).toEqual([tuesday]);
  expect(tagged()).toEqual(all);
});

test('a snapshot must have all paths that are asked for', () => {
  expect(filterSnapshots(all, { paths: ['/srv', '/etc'] })).toEqual([tuesday]);
  expect(filterSnapshots(all, { paths: ['/srv', '/home/ann'] })).toEqual([]);
});

test.each([
  ['latest', 'latest', []],
  ['a1b2:home/ann', 'a1b2', ['home', 'ann']],
  ['latest~1:/home//ann/./x/../', 'latest~1', ['home', 'ann']],
  ['a1:/../..', 'a1', []],
  ['a1:b:c', 'a1', ['b:c']],
])('%j is taken apart', (text, selector, folder) => {
  expect(parseSnapshotReference(text)).toEqual({ selector, folder });
});

describe('a path inside a snapshot', () => {
  test('leads to the folder with just these bytes', async () => {
    const repository = await MemoryRepository.create();
    const inner = await repository.plant({ 'note.txt': 'text' });
    const root = await repository.plant({ home: { type: 'dir', subtree: inner }, file: 'text' });
    const { indexed } = repository;
    expect(await resolveFolder(indexed, root, [])).toBe(root);
    expect(await resolveFolder(indexed, root, ['home'])).toBe(inner);
    expect(await resolveFolder(indexed, root, [Buffer.from('home')])).toBe(inner);
    expect((await resolveNode(indexed, root, ['home', 'note.txt'])).size).toBe(4);
    for (const [way, reason] of [
      [['Home'], '/Home is not in this snapshot.'],
      [['file'], '/file is a file, no folder.'],
      [['file', 'deeper'], '/file is a file, no folder.'],
      [['home', '\x1b', 'x'], '/home/\\x1b is not in this snapshot.'],
    ] as const) {
      await expect(resolveFolder(indexed, root, way)).rejects.toMatchObject({
        code: 'snapshot.path-not-found',
        message: reason,
      });
    }
  });
});
