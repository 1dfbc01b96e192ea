import type { Node } from '../../format/types.ts';
import { bytesFromId, type Id } from '../../kernel/id.ts';
import { EntryList } from './entry-list.ts';
import { type DirectoryRecord, decodeContents } from './scan-cache.ts';

/** What the parent snapshot knows of one directory: which contents need not be read again. */
export interface ParentDirectory {
  /** Its tree, 32 raw bytes. */
  readonly treeId: Buffer;
  /** The contents of all entries when `entries` are, byte for byte, those of the parent; undefined otherwise. */
  contentsOfSame(entries: EntryList): readonly Buffer[] | undefined;
  find(name: string): ParentEntry | undefined;
}

export interface ParentEntry {
  readonly isFile: boolean;
  readonly inode: bigint;
  readonly size: number;
  readonly mtime: bigint;
  readonly ctime: bigint;
  /** A file's content ids, or a directory's tree id, 32 bytes each. */
  readonly ids: Buffer;
}

/** From a record of the scan cache. */
export function parentFromRecord(record: DirectoryRecord): ParentDirectory {
  let byName: Map<string, ParentEntry> | undefined;
  return {
    treeId: record.treeId,
    contentsOfSame: (entries) =>
      entries.bytes.equals(record.entries) ? decodeContents(record.contents) : undefined,
    find: (name) => {
      byName ??= entriesByName(record);
      return byName.get(name);
    },
  };
}

/** From a tree of the repository: slower, and good for a parent that another machine or program wrote. */
export function parentFromTree(treeId: Id, nodes: readonly Node[]): ParentDirectory {
  const byName = new Map(nodes.map((node) => [node.name.toString('latin1'), node]));
  return {
    treeId: bytesFromId(treeId),
    contentsOfSame: () => undefined,
    find: (name) => {
      const node = byName.get(name);
      return node === undefined ? undefined : entryFromNode(node);
    },
  };
}

export interface TrustRules {
  readonly ignoreInode: boolean;
  readonly ignoreCtime: boolean;
  readonly trustBefore: bigint;
}

/** Pure: whether a file is the one that the parent saved, so that its content need not be read. */
export function isUnchanged(
  entries: EntryList,
  index: number,
  parent: ParentEntry,
  rules: TrustRules,
): boolean {
  return (
    parent.isFile &&
    entries.mtime(index) === parent.mtime &&
    entries.size(index) === parent.size &&
    (rules.ignoreInode || entries.inode(index) === parent.inode) &&
    (rules.ignoreCtime || entries.ctime(index) === parent.ctime) &&
    entries.ctime(index) < rules.trustBefore
  );
}

function entriesByName(record: DirectoryRecord): Map<string, ParentEntry> {
  const entries = EntryList.parse(record.entries);
  const contents = decodeContents(record.contents);
  const byName = new Map<string, ParentEntry>();
  contents.forEach((ids, index) => {
    byName.set(entries.name(index), {
      isFile: isRegular(entries.mode(index)),
      inode: entries.inode(index),
      size: entries.size(index),
      mtime: entries.mtime(index),
      ctime: entries.ctime(index),
      ids,
    });
  });
  return byName;
}

function entryFromNode(node: Node): ParentEntry {
  const ids = node.subtree === undefined ? (node.content ?? []) : [node.subtree];
  const { inode, size, mtime, ctime } = node;
  return { isFile: node.type === 'file', inode, size, mtime, ctime, ids: Buffer.from(ids.join(''), 'hex') };
}

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;

export function isRegular(mode: number): boolean {
  return (mode & S_IFMT) === S_IFREG;
}

export function isDirectory(mode: number): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}
