import { readlinkSync } from 'node:fs';
import type { ExtendedAttribute, Node, NodeType } from '../../format/types.ts';
import { idFromBytes } from '../../kernel/id.ts';
import type { Posix } from '../../kernel/posix/posix.ts';
import { type BytePath, toBytes, toSystemPath } from './byte-path.ts';
import type { EntryList } from './entry-list.ts';
import { isDirectory, isRegular } from './parent-directory.ts';

/** Makes the nodes of a tree from what a look at the directory saw, adding what only the entry itself tells. */
export class NodeBuilder {
  readonly #posix: Posix;

  constructor(posix: Posix) {
    this.#posix = posix;
  }

  /** Undefined for what trees can't hold. */
  build({ entries, index, path, ids, incomplete }: NodeParts): Node | undefined {
    const mode = entries.mode(index);
    const type = nodeType(mode);
    if (type === undefined) return undefined;
    const uid = entries.uid(index);
    const gid = entries.gid(index);
    const linkTarget = type === 'symlink' ? this.#linkTarget(path, incomplete) : undefined;
    return {
      name: toBytes(entries.name(index)),
      type,
      mode: mode & PERMISSIONS,
      mtime: entries.mtime(index),
      atime: entries.atime(index),
      ctime: entries.ctime(index),
      uid,
      gid,
      user: this.#posix.accounts?.userName(uid) ?? '',
      group: this.#posix.accounts?.groupName(gid) ?? '',
      inode: entries.inode(index),
      deviceId: entries.device(index),
      size: isRegular(mode) ? entries.size(index) : 0,
      // As restic has it: directories and FIFOs have none, since their count says nothing about names.
      links: isDirectory(mode) || type === 'fifo' || type === 'socket' ? 0 : entries.links(index),
      ...(linkTarget === undefined ? {} : { linkTarget }),
      extendedAttributes: this.#attributes(path, incomplete),
      device: type === 'dev' || type === 'chardev' ? entries.rdev(index) : 0n,
      ...(isRegular(mode) ? { content: splitIds(ids) } : {}),
      ...(isDirectory(mode) && ids !== undefined ? { subtree: idFromBytes(ids) } : {}),
    };
  }

  #linkTarget(path: BytePath, incomplete: NodeParts['incomplete']): Buffer | undefined {
    try {
      return readlinkSync(toSystemPath(path), { encoding: 'buffer' });
    } catch (error) {
      incomplete(error);
      return undefined;
    }
  }

  #attributes(path: BytePath, incomplete: NodeParts['incomplete']): readonly ExtendedAttribute[] {
    const { attributes } = this.#posix;
    if (attributes === undefined) return NONE;
    const file = toBytes(path);
    try {
      const names = attributes.list(file);
      if (names.length === 0) return NONE;
      const found: ExtendedAttribute[] = [];
      for (const name of names) {
        const value = attributes.get(file, name);
        if (value !== undefined) found.push({ name, value });
      }
      return found;
    } catch (error) {
      incomplete(error);
      return NONE;
    }
  }
}

interface NodeParts {
  readonly entries: EntryList;
  readonly index: number;
  readonly path: BytePath;
  /** Content ids of a file or the tree id of a directory, 32 bytes each. */
  readonly ids: Buffer | undefined;
  /** Called when the node lacks something that could not be read. */
  readonly incomplete: (error: unknown) => void;
}

const NONE: readonly ExtendedAttribute[] = [];
const PERMISSIONS = 0o7777;

/** The node type of a whole st_mode. */
export function nodeType(mode: number): NodeType | undefined {
  return NODE_TYPES[(mode >> 12) & 0xf];
}

/** By the four type bits of st_mode (inode(7)). */
const NODE_TYPES: readonly (NodeType | undefined)[] = (() => {
  const types: (NodeType | undefined)[] = new Array(16).fill(undefined);
  types[0o1] = 'fifo';
  types[0o2] = 'chardev';
  types[0o4] = 'dir';
  types[0o6] = 'dev';
  types[0o10] = 'file';
  types[0o12] = 'symlink';
  types[0o14] = 'socket';
  return types;
})();

function splitIds(ids: Buffer | undefined) {
  const count = (ids?.length ?? 0) / 32;
  return Array.from({ length: count }, (_, index) => idFromBytes(ids as Buffer, index * 32));
}
