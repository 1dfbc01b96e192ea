import type { Id, Node } from '@holdfast/engine';

/** What a node says besides its name and content. */
export interface Attributes {
  /** Permissions; as a node has it, without the type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
  /** Seconds since the epoch. */
  readonly mtime: number;
}

interface Directory {
  attributes: Attributes;
  readonly directories: Map<string, Directory>;
  /** Files and links, ready or still being packed. */
  readonly leaves: Map<string, Promise<Node>>;
}

export interface TreeWriter {
  saveTree(nodes: readonly Node[]): Promise<Id>;
}

/**
 * The tree of a snapshot while its entries come in any order. Only nodes are kept here: about 300 bytes a file and 32
 * for each of its chunks.
 */
export class ContentTree {
  readonly #root: Directory;

  constructor(attributes: Attributes) {
    this.#root = directory(attributes);
  }

  addDirectory(path: string, attributes: Attributes): void {
    this.#directory(path).attributes = attributes;
  }

  addSymlink(path: string, attributes: Attributes, target: string): void {
    const node = {
      ...nodeOf(attributes),
      type: 'symlink',
      linkTarget: Buffer.from(target),
      links: 1,
    } as const;
    this.#addLeaf(path, (name) => Promise.resolve({ ...node, name }));
  }

  /** A file whose content may still be on its way. A file that is there already is replaced. */
  addFile(path: string, attributes: Attributes, size: number, content: Promise<Id[]>): void {
    const node = { ...nodeOf(attributes), type: 'file', links: 1, size } as const;
    this.#addLeaf(path, async (name) => ({ ...node, name, content: await content }));
  }

  /** Saves all trees, deepest first; resolves with the root's id. */
  async save(writer: TreeWriter): Promise<Id> {
    return await saveDirectory(this.#root, writer);
  }

  #addLeaf(path: string, make: (name: Buffer) => Promise<Node>): void {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    const leaf = make(Buffer.from(name));
    // Looked at when the tree is saved, or never when the backup fails before.
    leaf.catch(() => undefined);
    this.#directory(parts.join('/')).leaves.set(name, leaf);
  }

  #directory(path: string): Directory {
    let place = this.#root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      const next = place.directories.get(name) ?? directory(place.attributes);
      place.directories.set(name, next);
      place = next;
    }
    return place;
  }
}

function directory(attributes: Attributes): Directory {
  return { attributes, directories: new Map(), leaves: new Map() };
}

async function saveDirectory(place: Directory, writer: TreeWriter): Promise<Id> {
  const nodes: Node[] = [];
  for (const [name, below] of place.directories) {
    const subtree = await saveDirectory(below, writer);
    nodes.push({ ...nodeOf(below.attributes), type: 'dir', name: Buffer.from(name), subtree });
  }
  nodes.push(...(await Promise.all(place.leaves.values())));
  return await writer.saveTree(nodes.sort((a, b) => Buffer.compare(a.name, b.name)));
}

/** What a node says that comes from no file system. */
function nodeOf({ mode, uid, gid, user, group, mtime }: Attributes) {
  const time = BigInt(mtime) * 1_000_000_000n;
  return {
    mode,
    uid,
    gid,
    user,
    group,
    mtime: time,
    atime: time,
    ctime: time,
    size: 0,
    links: 0,
    inode: 0n,
    deviceId: 0n,
    device: 0n,
    extendedAttributes: [],
  } as const;
}
