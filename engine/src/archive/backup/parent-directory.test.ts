import type { BigIntStats } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Node } from '../../format/types.ts';
import { sha256Id } from '../../kernel/hash.ts';
import { EntryList } from './entry-list.ts';
import {
  isUnchanged,
  type ParentEntry,
  parentFromRecord,
  parentFromTree,
  type TrustRules,
} from './parent-directory.ts';
import { encodeContents } from './scan-cache.ts';

const id = sha256Id(Buffer.from('content'));
const ids = Buffer.from(id, 'hex');

const seen = {
  mode: 0o100644n,
  uid: 0n,
  gid: 0n,
  nlink: 1n,
  ino: 7n,
  size: 100n,
  mtimeNs: 1000n,
  ctimeNs: 2000n,
  atimeNs: 0n,
  dev: 1n,
  rdev: 0n,
} as BigIntStats;

const known: ParentEntry = { isFile: true, inode: 7n, size: 100, mtime: 1000n, ctime: 2000n, ids };
const strict: TrustRules = { ignoreInode: false, ignoreCtime: false, trustBefore: 3000n };

describe('a file is taken for the one that the parent saved', () => {
  test.each<[string, Partial<ParentEntry>, Partial<TrustRules>, boolean]>([
    ['when nothing differs', {}, {}, true],
    ['not when it was none then', { isFile: false }, {}, false],
    ['not when its size differs', { size: 99 }, {}, false],
    ['not when its mtime differs by a nanosecond', { mtime: 1001n }, {}, false],
    ['not when its ctime differs', { ctime: 1999n }, {}, false],
    ['when its ctime differs and is not to count', { ctime: 1999n }, { ignoreCtime: true }, true],
    ['not when its inode differs', { inode: 8n }, {}, false],
    ['when its inode differs and is not to count', { inode: 8n }, { ignoreInode: true }, true],
    ['not when it changed in the tick in which the parent was begun', {}, { trustBefore: 2000n }, false],
    [
      'not even when ctimes are not to count',
      {},
      { trustBefore: 2000n, ignoreCtime: true, ignoreInode: true },
      false,
    ],
    ['when it changed just before', {}, { trustBefore: 2001n }, true],
    [
      'not when its mtime differs, whatever is not to count',
      { mtime: 1n },
      { ignoreCtime: true, ignoreInode: true },
      false,
    ],
  ])('%s', (_, then, rules, unchanged) => {
    const entries = EntryList.of([{ name: 'f', stat: seen }]);
    expect(isUnchanged(entries, 0, { ...known, ...then }, { ...strict, ...rules })).toBe(unchanged);
  });
});

describe('a parent directory', () => {
  const entries = EntryList.of([
    { name: '\xff', stat: seen },
    { name: 'd', stat: { ...seen, mode: 0o040755n } as BigIntStats },
  ]);

  test('of the scan cache knows its entries, and whether they are the same', () => {
    const record = {
      treeId: ids,
      entries: entries.bytes,
      contents: encodeContents([Buffer.concat([ids, ids]), ids]),
    };
    const parent = parentFromRecord(record);
    expect(parent.find('\xff')).toEqual({ ...known, ids: Buffer.concat([ids, ids]) });
    expect(parent.find('d')).toMatchObject({ isFile: false, ids });
    expect(parent.find('g')).toBeUndefined();
    expect(parent.contentsOfSame(entries)).toEqual([Buffer.concat([ids, ids]), ids]);
    expect(parent.contentsOfSame(entries.filter((index) => index === 0))).toBeUndefined();
  });

  test('of a tree knows its entries, but nothing about what the disk showed besides', () => {
    const node = {
      name: Buffer.from([0xff]),
      type: 'file',
      inode: 7n,
      size: 100,
      mtime: 1000n,
      ctime: 2000n,
    } as Node;
    const parent = parentFromTree(id, [
      { ...node, content: [id, id] },
      { ...node, name: Buffer.from('d'), type: 'dir', subtree: id },
      { ...node, name: Buffer.from('empty'), content: [] },
      { ...node, name: Buffer.from('link'), type: 'symlink' },
    ]);
    expect(parent.find('\xff')).toEqual({ ...known, ids: Buffer.concat([ids, ids]) });
    expect(parent.find('d')).toMatchObject({ isFile: false, ids });
    expect(parent.find('empty')).toMatchObject({ isFile: true, ids: Buffer.alloc(0) });
    expect(parent.find('link')).toMatchObject({ isFile: false });
    expect(parent.contentsOfSame(entries)).toBeUndefined();
  });
});
