import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../kernel/failure.ts';
import type { Id } from '../kernel/id.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';
import type { Snapshot } from './types.ts';

const tree = 'a1'.repeat(32) as Id;
const parent = 'b2'.repeat(32) as Id;
const original = 'c3'.repeat(32) as Id;

const least: Snapshot = {
  time: '2026-11-21T18:01:51.050329865+07:00',
  tree,
  paths: ['/srv/<data>'],
  hostname: '',
  username: '',
  uid: 0,
  gid: 0,
  excludes: [],
  tags: [],
};

const most: Snapshot = {
  ...least,
  parent,
  hostname: 'nas',
  username: 'backup',
  uid: 1000,
  gid: 100,
  excludes: ['*.tmp'],
  tags: ['nightly', 'holdfast:evidence'],
  original,
  programVersion: 'holdfast 0.1.0',
  summary: {
    backupStart: '2026-11-21T18:01:51+07:00',
    backupEnd: '2026-11-21T18:01:52+07:00',
    filesNew: 1,
    filesChanged: 2,
    filesUnmodified: 3,
    dirsNew: 4,
    dirsChanged: 5,
    dirsUnmodified: 6,
    dataBlobs: 7,
    treeBlobs: 8,
    dataAdded: 9,
    dataAddedPacked: 10,
    totalFilesProcessed: 11,
    totalBytesProcessed: 12,
  },
};

describe('a snapshot file', () => {
  test('leaves out what is empty, as restic does', () => {
    expect(encodeSnapshot(least).toString()).toBe(
      `{"time":"2026-11-21T18:01:51.050329865+07:00","tree":"${tree}","paths":["/srv/\\u003cdata\\u003e"]}`,
    );
  });

  test('has its fields in the order of restic', () => {
    expect(encodeSnapshot(most).toString()).toBe(
      `{"time":"2026-11-21T18:01:51.050329865+07:00","parent":"${parent}","tree":"${tree}",` +
        `"paths":["/srv/\\u003cdata\\u003e"],"hostname":"nas","username":"backup","uid":1000,"gid":100,` +
        `"excludes":["*.tmp"],"tags":["nightly","holdfast:evidence"],"original":"${original}",` +
        `"program_version":"holdfast 0.1.0","summary":{"backup_start":"2026-11-21T18:01:51+07:00",` +
        `"backup_end":"2026-11-21T18:01:52+07:00","files_new":1,"files_changed":2,"files_unmodified":3,` +
        `"dirs_new":4,"dirs_changed":5,"dirs_unmodified":6,"data_blobs":7,"tree_blobs":8,"data_added":9,` +
        `"data_added_packed":10,"total_files_processed":11,"total_bytes_processed":12}}`,
    );
  });

  test.each([least, most])('comes back as it was', (snapshot) => {
    expect(decodeSnapshot(encodeSnapshot(snapshot))).toEqual(snapshot);
  });

  test('may have fields of others, which are ignored', () => {
    const json = { time: least.time, tree, paths: null, label: 'x', delete: { after: 1 }, tags: null };
    expect(decodeSnapshot(Buffer.from(JSON.stringify(json)))).toEqual({ ...least, paths: [] });
  });

  test.each([
    ['no tree', { time: least.time, paths: [] }],
    ['no time', { tree, paths: [] }],
    ['a time that is none', { time: 'yesterday', tree }],
    ['a parent that is no id', { time: least.time, tree, parent: '../x' }],
    ['tags that are no list', { time: least.time, tree, tags: 'x' }],
    ['a tag that is no text', { time: least.time, tree, tags: [1] }],
  ])('with %s is damage', (_, json) => {
    expect(() => decodeSnapshot(Buffer.from(JSON.stringify(json)))).toThrow(
      expect.objectContaining({ code: 'repository.damaged' }),
    );
  });

  test('of garbage is told, never a crash', () => {
    const field = fc.constantFrom('time', 'tree', 'paths', 'parent', 'tags', 'uid', 'summary');
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc
        .dictionary(field, fc.jsonValue())
        .map((json) => Buffer.from(JSON.stringify({ time: least.time, tree, ...json }))),
    );
    fc.assert(
      fc.property(garbage, (bytes) => {
        try {
          decodeSnapshot(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});
