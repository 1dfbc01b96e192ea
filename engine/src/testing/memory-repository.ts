import { pathOf } from '../backend/layout.ts';
import { type MemoryFiles, openMemory } from '../backend/memory/memory.ts';
import { createConfig } from '../format/config.ts';
import { randomMasterKey } from '../format/key-file.ts';
import { encodeHeader, encodeTrailer } from '../format/pack.ts';
import { seal } from '../format/sealing.ts';
import { encodeTree } from '../format/tree.ts';
import type { BlobType, Node, Snapshot, StoredSnapshot } from '../format/types.ts';
import { sha256Id } from '../kernel/hash.ts';
import type { Id } from '../kernel/id.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import { Repository } from '../repository/repository.ts';

/** What to put into a folder, by name: a file's content, a folder, or whatever a node can say. */
export type Planted = string | Uint8Array | Partial<Node> | { readonly folder: Plan };
export interface Plan {
  readonly [name: string]: Planted;
}

/**
 * A repository in memory that tests fill blob by blob, each in a pack of its own, so that one can be damaged alone.
 * Everything is real but the password.
 */
export class MemoryRepository {
  readonly files: MemoryFiles;
  readonly indexed: IndexedRepository;

  private constructor(files: MemoryFiles, indexed: IndexedRepository) {
    this.files = files;
    this.indexed = indexed;
  }

  static async create(): Promise<MemoryRepository> {
    const files: MemoryFiles = new Map();
    const repository = new Repository({
      backend: openMemory({ files, connections: 4 }),
      config: createConfig(2),
      key: randomMasterKey(),
      keyId: sha256Id(Buffer.from('no password')),
    });
    return new MemoryRepository(files, await repository.loadIndex());
  }

  async saveBlob(type: BlobType, content: Uint8Array): Promise<Id> {
    const { repository, index } = this.indexed;
    const id = sha256Id(content);
    if (index.has(type, id)) return id;
    const sealed = seal(repository.key, content);
    const blob = { type, id, offset: 0, length: sealed.length, uncompressedLength: 0 };
    const header = seal(repository.key, encodeHeader([blob]));
    const pack = Buffer.concat([sealed, header, encodeTrailer(header.length)]);
    const packId = sha256Id(pack);
    await repository.backend.save({ type: 'pack', name: packId }, pack);
    index.addPack({ id: packId, blobs: [blob] });
    return id;
  }

  /** Saves a folder with all that is in it; returns its tree. */
  async plant(plan: Plan): Promise<Id> {
    const nodes: Node[] = [];
    for (const [name, planted] of Object.entries(plan)) nodes.push(await this.#nodeOf(name, planted));
    return await this.saveBlob('tree', encodeTree(nodes));
  }

  async saveSnapshot(snapshot: Pick<Snapshot, 'tree'> & Partial<Snapshot>): Promise<StoredSnapshot> {
    const whole = testSnapshot(snapshot);
    return { ...whole, id: await this.indexed.repository.saveSnapshot(whole) };
  }

  /** Flips a bit of a blob where it is stored. */
  damage(type: BlobType, id: Id): void {
    const { path, offset } = this.#find(type, id);
    const pack = this.files.get(path) as Uint8Array;
    pack[offset + 20] = (pack[offset + 20] ?? 0) ^ 1;
  }

  /** Removes the pack of a blob, which the index goes on to name. */
  lose(type: BlobType, id: Id): void {
    this.files.delete(this.#find(type, id).path);
  }

  async #nodeOf(name: string, planted: Planted): Promise<Node> {
    if (typeof planted === 'string') return await this.#nodeOf(name, Buffer.from(planted));
    if (planted instanceof Uint8Array) {
      const content = planted.length === 0 ? [] : [await this.saveBlob('data', planted)];
      return testNode({ name: Buffer.from(name), size: planted.length, content });
    }
    if ('folder' in planted) {
      return testNode({ name: Buffer.from(name), type: 'dir', subtree: await this.plant(planted.folder) });
    }
    return testNode({ name: Buffer.from(name), ...planted });
  }

  #find(type: BlobType, id: Id): { path: string; offset: number } {
    const place = this.indexed.index.lookup(type, id);
    if (place === undefined) throw new Error(`There is no ${type} blob ${id} to damage.`);
    return { path: pathOf({ type: 'pack', name: place.pack }), offset: place.offset };
  }
}

/** A node like any other but for what is said. */
export function testNode(node: Partial<Node>): Node {
  const time = 1_700_000_000_123_456_789n;
  return {
    name: Buffer.from('name'),
    type: 'file',
    mode: node.type === 'dir' ? 0o755 : 0o644,
    mtime: time,
    atime: time,
    ctime: time,
    uid: 1000,
    gid: 1000,
    user: 'ann',
    group: 'ann',
    inode: 0n,
    deviceId: 1n,
    size: 0,
    links: 1,
    extendedAttributes: [],
    device: 0n,
    ...node,
  };
}

export function testSnapshot(snapshot: Partial<Snapshot>): Snapshot {
  return {
    time: '2026-11-20T10:00:00Z',
    tree: sha256Id(Buffer.from('a tree')),
    paths: ['/home/ann'],
    hostname: 'desk',
    username: 'ann',
    uid: 1000,
    gid: 1000,
    excludes: [],
    tags: [],
    ...snapshot,
  };
}
