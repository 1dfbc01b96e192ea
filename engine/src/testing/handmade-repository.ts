import type { Backend } from '../backend/backend.ts';
import { openMemory } from '../backend/memory/memory.ts';
import { compressBlob, decompress } from '../format/compression.ts';
import { encodeNode } from '../format/node.ts';
import { joinNodes } from '../format/tree.ts';
import type { Node } from '../format/types.ts';
import { systemClock } from '../kernel/clock.ts';
import { type Id, idFromBytes } from '../kernel/id.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import { createRepository } from '../repository/open.ts';
import { PackSink } from '../repository/pack-sink.ts';
import { type FinishedPack, Packer } from '../repository/packer.ts';

/** A repository whose blobs a test writes itself, so that it can hold what no honest program would save. */
export interface HandmadeRepository {
  readonly backend: Backend;
  readonly indexed: IndexedRepository;
  /** Saves content in blobs of at most `blobSize` bytes. */
  content(bytes: Uint8Array, blobSize?: number): Id[];
  /** Saves a tree of exactly these nodes, in this order, whatever their names. */
  tree(nodes: readonly Node[]): Id;
  /** Makes everything durable and indexed. More may be saved afterwards. */
  finish(): Promise<void>;
}

export interface HandmadeOptions {
  readonly backend?: Backend;
  /** Bytes at which a pack is finished. */
  readonly packSize?: number;
}

/** Cheap to open: nobody is to guess the password of a test. */
const CHEAP_KDF = { N: 2, r: 1, p: 1 };

export async function makeRepository(options: HandmadeOptions = {}): Promise<HandmadeRepository> {
  const { backend = openMemory(), packSize = 1024 * 1024 } = options;
  const repository = await createRepository(backend, 'test', { kdf: CHEAP_KDF, clock: systemClock });
  const indexed = await repository.loadIndex();
  const sink = new PackSink(repository, indexed.index, systemClock, Promise.resolve());
  const packs: FinishedPack[] = [];
  const packer = new Packer({
    key: repository.key,
    table: indexed.index.table,
    version: 2,
    compression: 'auto',
    compressor: { compressBlob, decompress, close: () => undefined },
    packSize,
    deliver: (pack) => packs.push(pack),
    recycled: () => undefined,
  });
  return {
    backend,
    indexed,
    content: (bytes, blobSize = bytes.length) => {
      const ids: Id[] = [];
      for (let at = 0; at < bytes.length; at += blobSize) {
        ids.push(idFromBytes(packer.save('data', bytes.subarray(at, at + blobSize)).id));
      }
      return ids;
    },
    tree: (nodes) => idFromBytes(packer.save('tree', joinNodes(nodes.map(encodeNode))).id),
    finish: async () => {
      packer.flush();
      for (const pack of packs.splice(0)) await sink.add(pack);
      await sink.saveIndex();
    },
  };
}

/** A node with what most tests do not care about. */
export function handmadeNode({
  name,
  ...node
}: Partial<Omit<Node, 'name'>> & { readonly name: string | Buffer }): Node {
  return {
    name: typeof name === 'string' ? Buffer.from(name) : name,
    type: 'file',
    mode: node.type === 'dir' ? 0o755 : 0o644,
    mtime: 1_700_000_000_123_456_789n,
    atime: 1_700_000_000_000_000_000n,
    ctime: 1_700_000_000_000_000_000n,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    user: '',
    group: '',
    inode: 0n,
    deviceId: 0n,
    size: 0,
    links: 1,
    extendedAttributes: [],
    device: 0n,
    ...(node.type === undefined || node.type === 'file' ? { content: [] } : {}),
    ...node,
  };
}
