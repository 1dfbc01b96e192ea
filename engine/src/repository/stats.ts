import { SEAL_OVERHEAD } from '../format/sealing.ts';
import type { Node, StoredSnapshot } from '../format/types.ts';
import { Failure } from '../kernel/failure.ts';
import { sha256 } from '../kernel/hash.ts';
import { type Id, shortId } from '../kernel/id.ts';
import { plaintextLength } from './index.ts';
import type { IndexedRepository } from './indexed-repository.ts';
import { walkTrees } from './tree-walk.ts';
import { findUsedBlobs } from './used-blobs.ts';

/** restic's ways to count (doc/manual_rest.rst, "Getting information about repository data"). */
export type StatsMode = 'restore-size' | 'files-by-contents' | 'blobs-per-file' | 'raw-data';

/** Sizes in bytes. What a mode does not count is absent. */
export interface Stats {
  readonly snapshots: number;
  readonly totalSize: number;
  readonly files?: number;
  readonly blobs?: number;
  /** `raw-data` alone: what the blobs would take without compression. */
  readonly uncompressedSize?: number;
  /** Of the compressed blobs: size before divided by size after. */
  readonly compressionRatio?: number;
}

/**
 * Counts what snapshots hold, with restic's results:
 * - `restore-size`: entries and sizes of the files, for each snapshot; hard links once in a snapshot
 * - `files-by-contents`: each content once, whatever its names; entries without content are one together
 * - `blobs-per-file`: each blob once for each path, contents that were met before left out
 * - `raw-data`: each blob once, as it is stored
 *
 * Directories that snapshots share are read once.
 */
export async function computeStats(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  mode: StatsMode,
  signal?: AbortSignal,
): Promise<Stats> {
  switch (mode) {
    case 'restore-size':
      return await countRestored(indexed, snapshots, signal);
    case 'files-by-contents':
      return await countContents(indexed, snapshots, signal);
    case 'blobs-per-file':
      return await countBlobsPerFile(indexed, snapshots, signal);
    case 'raw-data':
      return await countStored(indexed, snapshots, signal);
  }
}

interface Subtotal {
  readonly files: number;
  readonly size: number;
  /** Sizes of files with several names, by device and inode. */
  readonly links: ReadonlyMap<string, number>;
}

/** What a tree holds without what is below it. */
interface OwnCount extends Subtotal {
  readonly subtrees: readonly Id[];
}

const NO_LINKS: ReadonlyMap<string, number> = new Map();

async function countRestored(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  signal: AbortSignal | undefined,
): Promise<Stats> {
  const own = await countEach(indexed, snapshots, signal);
  const known = new Map<Id, Subtotal>();

  function count(tree: Id): Subtotal {
    const before = known.get(tree);
    if (before !== undefined) return before;
    let { files, size, links } = own.get(tree) ?? NOTHING;
    for (const subtree of own.get(tree)?.subtrees ?? []) {
      const below = count(subtree);
      files += below.files;
      size += below.size;
      if (below.links.size > 0) links = new Map([...links, ...below.links]);
    }
    const subtotal = { files, size, links };
    known.set(tree, subtotal);
    return subtotal;
  }

  let files = 0;
  let totalSize = 0;
  for (const { tree } of snapshots) {
    const counted = count(tree);
    files += counted.files;
    totalSize += counted.size;
    for (const size of counted.links.values()) totalSize += size;
  }
  return { snapshots: snapshots.length, totalSize, files };
}

const NOTHING: Subtotal = { files: 0, size: 0, links: NO_LINKS };

/** Many trees at once: far away each is a wait. */
async function countEach(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<Id, OwnCount>> {
  const own = new Map<Id, OwnCount>();
  const met = new Set<Id>();
  const roots = snapshots.map(({ tree }) => tree);
  await walkTrees(roots, {
    concurrency: indexed.repository.backend.connections,
    signal,
    load: (id) => indexed.loadTree(id, signal),
    enter: (id) => {
      if (met.has(id)) return false;
      met.add(id);
      return true;
    },
    visit: (id, { nodes }) => void own.set(id, ownCountOf(nodes)),
  });
  return own;
}

function ownCountOf(nodes: readonly Node[]): OwnCount {
  let size = 0;
  let links: Map<string, number> | undefined;
  const subtrees: Id[] = [];
  for (const node of nodes) {
    if (isLinked(node)) {
      links ??= new Map();
      links.set(`${node.deviceId}:${node.inode}`, node.size);
    } else {
      size += node.size;
    }
    if (node.subtree !== undefined) subtrees.push(node.subtree);
  }
  return { files: nodes.length, size, links: links ?? NO_LINKS, subtrees };
}

/** Whether an entry may share its content with others. Without an inode nobody can tell, so it counts for itself. */
function isLinked(node: Node): boolean {
  return node.type !== 'dir' && node.links !== 1 && node.inode !== 0n;
}

async function countContents(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  signal: AbortSignal | undefined,
): Promise<Stats> {
  const contents = new Set<string>();
  let totalSize = 0;
  await visitOnce(indexed, snapshots, signal, (node) => {
    const content = contentKey(node);
    if (contents.has(content)) return;
    contents.add(content);
    totalSize += node.size;
  });
  return { snapshots: snapshots.length, totalSize, files: contents.size };
}

async function countBlobsPerFile(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  signal: AbortSignal | undefined,
): Promise<Stats> {
  const contents = new Set<string>();
  const blobsByPath = new Map<string, Set<Id>>();
  let totalSize = 0;
  let blobs = 0;
  await visitOnce(indexed, snapshots, signal, (node, path) => {
    const content = contentKey(node);
    if (contents.has(content)) return;
    contents.add(content);
    for (const id of node.content ?? []) {
      const counted = blobsByPath.get(path) ?? new Set<Id>();
      blobsByPath.set(path, counted);
      if (counted.has(id)) continue;
      counted.add(id);
      blobs += 1;
      totalSize += lengthOf(indexed, id);
    }
  });
  return { snapshots: snapshots.length, totalSize, files: blobsByPath.size, blobs };
}

async function countStored(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  signal: AbortSignal | undefined,
): Promise<Stats> {
  const { table } = indexed.index;
  const roots = snapshots.map(({ tree }) => tree);
  const { flags, missing } = await findUsedBlobs(indexed, roots, { signal });
  const [lost] = missing;
  if (lost !== undefined) throw blobMissing(indexed, lost.id);
  let blobs = 0;
  let totalSize = 0;
  let uncompressedSize = 0;
  let compressedBefore = 0;
  let compressedAfter = 0;
  for (const [entry, used] of flags.entries()) {
    if (used !== 1) continue;
    const length = table.lengthOf(entry);
    const uncompressedLength = table.uncompressedLengthOf(entry);
    const before = uncompressedLength > 0 ? uncompressedLength + SEAL_OVERHEAD : length;
    blobs += 1;
    totalSize += length;
    uncompressedSize += before;
    if (uncompressedLength === 0) continue;
    compressedBefore += before;
    compressedAfter += length;
  }
  return {
    snapshots: snapshots.length,
    totalSize,
    blobs,
    ...(indexed.repository.config.version === 1 ? {} : { uncompressedSize }),
    ...(compressedAfter === 0 ? {} : { compressionRatio: compressedBefore / compressedAfter }),
  };
}

/**
 * Every entry of every tree, a tree that was met before left out: all that is in it was counted then, when contents
 * count once. In the order of a restore, with what comes next read ahead, as restic's result depends on which path of a content comes first.
 */
async function visitOnce(
  indexed: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  signal: AbortSignal | undefined,
  visit: (node: Node, path: string) => void,
): Promise<void> {
  const met = new Set<Id>();
  /** From the root down to the one whose entries are visited. */
  const folders: { readonly path: string; readonly nodes: readonly Node[]; next: number }[] = [];

  function* ahead(): Generator<Id> {
    for (const { nodes, next } of folders.toReversed()) {
      for (const { subtree } of nodes.slice(next))
        if (subtree !== undefined && !met.has(subtree)) yield subtree;
    }
  }
  async function enter(tree: Id, path: string): Promise<void> {
    if (met.has(tree)) return;
    met.add(tree);
    folders.push({ path, nodes: (await indexed.loadTree(tree, signal, ahead)).nodes, next: 0 });
  }

  for (const { tree } of snapshots) {
    await enter(tree, '');
    for (let folder = folders.at(-1); folder !== undefined; folder = folders.at(-1)) {
      const node = folder.nodes[folder.next];
      folder.next += 1;
      if (node === undefined) {
        folders.pop();
        continue;
      }
      const path = `${folder.path}/${node.name.toString('latin1')}`;
      visit(node, path);
      if (node.subtree !== undefined) await enter(node.subtree, path);
    }
  }
}

/** Equal for equal contents, also for the many that are of one blob or of none. */
function contentKey({ content = [] }: Node): string {
  return content.length < 2 ? (content[0] ?? '') : sha256(Buffer.from(content.join(''))).toString('latin1');
}

function lengthOf(indexed: IndexedRepository, id: Id): number {
  const place = indexed.index.lookup('data', id);
  if (place === undefined) throw blobMissing(indexed, id);
  return plaintextLength(place);
}

function blobMissing({ repository }: IndexedRepository, id: Id): Failure {
  return new Failure('repository.blob-missing', `blob ${shortId(id)} is in no pack of the index`, {
    subject: `${repository.backend.location}: blob ${id}`,
    hint: 'holdfast repo check names the files and snapshots that need it',
  });
}
