import { encodeTree } from '../../format/tree.ts';
import type { Node } from '../../format/types.ts';
import { idFromBytes } from '../../kernel/id.ts';
import type { BlobTable } from '../../repository/blob-table.ts';
import type { Packer } from '../../repository/packer.ts';
import type { BytePath } from './byte-path.ts';
import type { CounterRow } from './counters.ts';
import type { Listing } from './directory-listing.ts';
import { EntryList } from './entry-list.ts';
import { SEGMENT_BYTES } from './file-reader.ts';
import type { NodeBuilder } from './node-builder.ts';
import {
  isDirectory,
  isRegular,
  isUnchanged,
  type ParentDirectory,
  type TrustRules,
} from './parent-directory.ts';
import type {
  DirectoryResult,
  FileOutcome,
  FilesResult,
  ScanProblem,
  SegmentResult,
  Task,
  TaskResult,
} from './protocol.ts';
import { encodeContents } from './scan-cache.ts';

/** What a directory's job needs of the worker it runs in. */
export interface JobTools {
  readonly table: BlobTable;
  readonly packer: Packer;
  readonly counters: CounterRow;
  readonly nodes: NodeBuilder;
  readonly trust: TrustRules;
  /** Puts work on this worker's stack, from where others may take it; `done` is called on this worker. */
  readonly push: (task: Task, done: (result: TaskResult) => void) => void;
  readonly readFiles: (paths: readonly string[]) => readonly FileOutcome[];
  readonly remember: (tree: Buffer, entries: Buffer, contents: Buffer) => void;
  readonly report: (kind: ScanProblem['kind'], path: BytePath, error: unknown) => void;
}

/**
 * One directory on its way into the repository. It asks for what it needs (its files' contents, its subdirectories'
 * trees), waits until all of it is there, and then saves its own tree. It keeps compact bytes while it waits, since a
 * deep tree has many directories waiting.
 */
export class DirectoryJob {
  readonly #listing: Listing;
  readonly #parent: ParentDirectory | undefined;
  readonly #tools: JobTools;
  readonly #done: (result: DirectoryResult) => void;
  /** By entry: content ids, a subtree's id, or undefined for what has none. */
  readonly #contents: (Buffer | undefined)[];
  readonly #failed = new Set<number>();
  /** What the parent has for the very same entries; the tree may be reused when the subtrees turn out the same too. */
  readonly #same: readonly Buffer[] | undefined;
  #pending = 1;

  constructor(parts: {
    listing: Listing;
    parent: ParentDirectory | undefined;
    tools: JobTools;
    done: (result: DirectoryResult) => void;
  }) {
    this.#listing = parts.listing;
    this.#parent = parts.parent;
    this.#tools = parts.tools;
    this.#done = parts.done;
    this.#contents = new Array(parts.listing.entries.length).fill(undefined);
    this.#same = this.#trustedContents();
  }

  /** `subtreeOf` gives the parent's tree id for a subdirectory, where only trees are known of the parent. */
  start(): void {
    const { entries } = this.#listing;
    const toRead: number[] = [];
    // From the last to the first: the stack then hands them out in order.
    for (let index = entries.length - 1; index >= 0; index -= 1) {
      const mode = entries.mode(index);
      if (isDirectory(mode)) this.#descend(index);
      else if (!isRegular(mode)) this.#tools.counters.add('others', 1);
      else if (!this.#reuse(index)) toRead.push(index);
    }
    this.#read(toRead.reverse());
    this.#settle();
  }

  #trustedContents(): readonly Buffer[] | undefined {
    const { entries } = this.#listing;
    const { trust, table } = this.#tools;
    const same = this.#parent?.contentsOfSame(entries);
    if (same === undefined) return undefined;
    for (let index = 0; index < entries.length; index += 1) {
      // Whatever it is: a link's target or an attribute can change within a tick just as well as a file's content.
      if (entries.ctime(index) >= trust.trustBefore) return undefined;
      if (isRegular(entries.mode(index)) && !hasAll(table, same[index])) return undefined;
    }
    return same;
  }

  #descend(index: number): void {
    const { push } = this.#tools;
    if (this.#listing.mountPoints.has(index)) {
      this.#contents[index] = this.#saveTree([]);
      return;
    }
    const given = this.#listing.givenBelow(index);
    const known =
      this.#same === undefined ? this.#parent?.find(this.#listing.entries.name(index)) : undefined;
    const parentTree =
      known !== undefined && !known.isFile && known.ids.length === 32 ? idFromBytes(known.ids) : undefined;
    this.#pending += 1;
    push(
      {
        kind: 'directory',
        path: this.#listing.pathOf(index),
        parentTree,
        ...(given === undefined ? {} : { given }),
      },
      (result) => {
        const { tree } = result as DirectoryResult;
        if (tree === undefined) this.#failed.add(index);
        else this.#contents[index] = asBuffer(tree);
        this.#settle();
      },
    );
  }

  /** Takes a file's content over from the parent when it is unchanged and the repository still has all of it. */
  #reuse(index: number): boolean {
    const { entries } = this.#listing;
    const { counters, table, trust } = this.#tools;
    let ids = this.#same?.[index];
    if (ids === undefined) {
      const known = this.#parent?.find(entries.name(index));
      if (known === undefined || !isUnchanged(entries, index, known, trust) || !hasAll(table, known.ids))
        return false;
      ids = known.ids;
    }
    this.#contents[index] = ids;
    counters.add('filesUnmodified', 1);
    counters.add('bytesProcessed', entries.size(index));
    return true;
  }

  /** Few and small files are read at once; many are put up in batches and large ones in segments, for all workers. */
  #read(indexes: readonly number[]): void {
    let batch: number[] = [];
    let batchBytes = 0;
    const batches: number[][] = [batch];
    for (const index of indexes) {
      const size = this.#listing.entries.size(index);
      if (size > SEGMENT_BYTES) {
        this.#readSegments(index, size);
        continue;
      }
      if (batch.length >= BATCH_FILES || batchBytes + size > BATCH_BYTES) {
        batch = [];
        batchBytes = 0;
        batches.push(batch);
      }
      batch.push(index);
      batchBytes += size;
    }
    for (const later of batches.slice(1)) this.#pushBatch(later);
    const first = batches[0] ?? [];
    const outcomes = this.#tools.readFiles(first.map((index) => this.#listing.pathOf(index)));
    for (const [position, outcome] of outcomes.entries()) this.#accept(first[position] as number, outcome);
  }

  #pushBatch(indexes: readonly number[]): void {
    const paths = indexes.map((index) => this.#listing.pathOf(index));
    this.#pending += 1;
    this.#tools.push({ kind: 'files', paths }, (result) => {
      for (const [position, outcome] of (result as FilesResult).files.entries()) {
        this.#accept(indexes[position] as number, outcome);
      }
      this.#settle();
    });
  }

  #readSegments(index: number, size: number): void {
    const path = this.#listing.pathOf(index);
    const count = Math.ceil(size / SEGMENT_BYTES);
    const segments: SegmentResult[] = [];
    let missing = count;
    this.#pending += 1;
    for (let segment = count - 1; segment >= 0; segment -= 1) {
      this.#tools.push({ kind: 'segment', path, offset: segment * SEGMENT_BYTES }, (result) => {
        segments[segment] = result as SegmentResult;
        missing -= 1;
        if (missing > 0) return;
        this.#acceptSegments(index, segments);
        this.#settle();
      });
    }
  }

  /** Segments are opened one by one: that they are of one file in one state is known only when all of them are there. */
  #acceptSegments(index: number, segments: readonly SegmentResult[]): void {
    const { entries } = this.#listing;
    const path = this.#listing.pathOf(index);
    const failed = segments.find((segment) => segment.ids === undefined);
    if (failed !== undefined) {
      this.#tools.report('unreadable', path, Object.assign(new Error(failed.message), { code: failed.code }));
    } else if (segments.some(({ changed, opened }) => changed || !isSameFile(entries, index, opened))) {
      this.#tools.report('changed', path, undefined);
    }
    this.#accept(index, joinSegments(segments));
  }

  #accept(index: number, outcome: FileOutcome): void {
    const { entries } = this.#listing;
    const { counters } = this.#tools;
    if (outcome.ids === undefined) {
      this.#failed.add(index);
      return;
    }
    if (outcome.opened !== undefined) entries.adopt(index, EntryList.parse(asBuffer(outcome.opened)), 0);
    entries.setSize(index, outcome.size);
    const ids = asBuffer(outcome.ids);
    this.#contents[index] = ids;
    const known = this.#parent?.find(entries.name(index));
    counters.add(known === undefined ? 'filesNew' : 'filesChanged', 1);
  }

  #settle(): void {
    this.#pending -= 1;
    if (this.#pending === 0) this.#finish();
  }

  #finish(): void {
    const { counters } = this.#tools;
    const unchanged = this.#unchangedTree();
    if (unchanged !== undefined) {
      counters.add('dirsUnmodified', 1);
      this.#tools.remember(unchanged, this.#listing.entries.bytes, encodeContents(this.#contents));
      this.#done({ kind: 'directory', tree: unchanged });
      return;
    }
    const nodes: Node[] = [];
    const unsupported = new Set(this.#failed);
    const doubtful: number[] = [];
    for (let index = 0; index < this.#listing.entries.length; index += 1) {
      if (this.#failed.has(index)) continue;
      const path = this.#listing.pathOf(index);
      const node = this.#tools.nodes.build({
        entries: this.#listing.entries,
        index,
        path,
        ids: this.#contents[index],
        incomplete: (error) => {
          this.#tools.report('incomplete', path, error);
          doubtful.push(index);
        },
      });
      if (node === undefined) unsupported.add(index);
      else nodes.push(node);
    }
    const tree = this.#saveTree(nodes);
    if (this.#parent === undefined) counters.add('dirsNew', 1);
    else counters.add(this.#parent.treeId.equals(tree) ? 'dirsUnmodified' : 'dirsChanged', 1);
    // The next run must not take this tree over, but look whether the rest can be read by then.
    for (const index of doubtful) this.#listing.entries.doubt(index);
    this.#rememberWithout(unsupported, tree);
    this.#done({ kind: 'directory', tree });
  }

  /** The parent's tree, when every entry and every subtree is as it was then, and the repository still has it. */
  #unchangedTree(): Buffer | undefined {
    const same = this.#same;
    const tree = this.#parent?.treeId;
    if (same === undefined || tree === undefined || this.#failed.size > 0) return undefined;
    const { entries } = this.#listing;
    for (let index = 0; index < entries.length; index += 1) {
      if (isDirectory(entries.mode(index)) && !same[index]?.equals(this.#contents[index] ?? NOTHING))
        return undefined;
    }
    return this.#tools.table.find('tree', tree) >= 0 ? tree : undefined;
  }

  #rememberWithout(left: ReadonlySet<number>, tree: Buffer): void {
    const kept = (index: number) => !left.has(index);
    const entries = left.size === 0 ? this.#listing.entries : this.#listing.entries.filter(kept);
    this.#tools.remember(
      tree,
      entries.bytes,
      encodeContents(this.#contents.filter((_, index) => kept(index))),
    );
  }

  #saveTree(nodes: readonly Node[]): Buffer {
    const { packer, counters } = this.#tools;
    const { id, added, packed } = packer.save('tree', encodeTree(nodes));
    if (packed > 0) {
      counters.add('treeBlobs', 1);
      counters.add('treeAdded', added);
      counters.add('treePacked', packed);
    }
    return id;
  }
}

const BATCH_FILES = 128;
const BATCH_BYTES = 32 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

function hasAll(table: BlobTable, ids: Buffer | undefined): boolean {
  if (ids === undefined) return false;
  for (let at = 0; at < ids.length; at += 32)
    if (table.find('data', ids.subarray(at, at + 32)) < 0) return false;
  return true;
}

function joinSegments(segments: readonly SegmentResult[]): FileOutcome {
  const ids: Uint8Array[] = [];
  let size = 0;
  for (const segment of segments) {
    if (segment.ids === undefined) return { size: 0 };
    ids.push(segment.ids);
    size += segment.size;
  }
  return { ids: Buffer.concat(ids), size };
}

/** Whether the file that was opened is still the one that the directory's listing saw, unchanged. */
function isSameFile(entries: EntryList, index: number, opened: Uint8Array | undefined): boolean {
  if (opened === undefined) return false;
  const now = EntryList.parse(asBuffer(opened));
  return (
    now.inode(0) === entries.inode(index) &&
    now.device(0) === entries.device(index) &&
    now.size(0) === entries.size(index) &&
    now.mtime(0) === entries.mtime(index)
  );
}

/** Bytes that came from another thread are plain Uint8Arrays. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
