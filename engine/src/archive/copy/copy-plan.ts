import type { BlobType, PackedBlob, StoredSnapshot, Tree } from '../../format/types.ts';
import type { Failure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import { damageOf } from '../../repository/check/damage.ts';
import { type BlobKey, blobKey } from '../../repository/check/ledger.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { PackPart } from '../../repository/transfer/blob-mover.ts';
import { walkTrees } from '../../repository/tree-walk.ts';

/** What is to be copied, in the order in which it is done. */
export interface CopyPlan {
  readonly batches: readonly CopyBatch[];
  /** What the target lacks: blobs, and their bytes as the source keeps them. */
  readonly blobs: number;
  readonly bytes: number;
  /** What snapshots need, the target lacks, and the source cannot give. */
  readonly lost: ReadonlyMap<BlobKey, Failure | undefined>;
}

/** Snapshots that are saved together, when all that they need is there. */
export interface CopyBatch {
  readonly snapshots: readonly StoredSnapshot[];
  /** The packs' blobs that no batch before has brought. */
  parts(): Iterable<PackPart>;
}

export interface PlanOptions {
  /** Trees read so far. */
  readonly onTree?: (trees: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Finds out what the target lacks of the snapshots: all their trees are read, also those that the target has, since a
 * tree may have come with a copy that was cut short before what lies below it. The rest is told by the two indexes.
 */
export async function planCopy(
  source: IndexedRepository,
  target: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  options: PlanOptions,
): Promise<CopyPlan> {
  const survey = new Survey(source, target, options);
  const reached: Reached[] = [];
  for (const snapshot of snapshots) {
    await survey.add(snapshot);
    reached.push({ snapshot, blobs: survey.entries.length, bytes: survey.bytes });
  }
  const { entries, bytes, lost } = survey;
  const batches = [...batchesOf(reached, (from, to) => partsOf(source, entries.slice(from, to)))];
  return { batches, blobs: entries.length, bytes, lost };
}

/** What the target lacks of a snapshot and of all before it. */
interface Reached {
  readonly snapshot: StoredSnapshot;
  readonly blobs: number;
  readonly bytes: number;
}

class Survey {
  /** Of the source's blob table, in the order in which they were met: what the target lacks. */
  readonly entries: number[] = [];
  readonly lost = new Map<BlobKey, Failure | undefined>();
  bytes = 0;
  readonly #source: IndexedRepository;
  readonly #target: IndexedRepository;
  readonly #options: PlanOptions;
  /** By entry of the source's blob table. */
  readonly #met: Uint8Array;
  /** Trees that the target has and the source does not. */
  readonly #metElsewhere = new Set<BlobKey>();
  #trees = 0;

  constructor(source: IndexedRepository, target: IndexedRepository, options: PlanOptions) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
    this.#met = new Uint8Array(source.index.table.size);
  }

  async add(snapshot: StoredSnapshot): Promise<void> {
    await walkTrees([snapshot.tree], {
      concurrency: this.#source.repository.backend.connections,
      signal: this.#options.signal,
      load: (id) => this.#load(id),
      enter: (id) => this.#meet('tree', id),
      visit: (_, tree) => {
        this.#trees += 1;
        this.#options.onTree?.(this.#trees);
        for (const { content } of tree.nodes) for (const id of content ?? []) this.#meet('data', id);
      },
    });
  }

  /** Whether it can be had and was not met before. */
  #meet(type: BlobType, id: Id): boolean {
    const { table } = this.#source.index;
    const entry = table.findId(type, id);
    const isThere = entry >= 0 && table.packOf(entry) >= 0;
    if (isThere) {
      if (this.#met[entry] === 1) return false;
      this.#met[entry] = 1;
    }
    if (this.#target.index.has(type, id)) return isThere || this.#meetElsewhere(blobKey(type, id));
    if (!isThere) {
      this.lost.set(blobKey(type, id), undefined);
      return false;
    }
    this.entries.push(entry);
    this.bytes += table.lengthOf(entry);
    return true;
  }

  #meetElsewhere(key: BlobKey): boolean {
    if (this.#metElsewhere.has(key)) return false;
    this.#metElsewhere.add(key);
    return true;
  }

  /** What neither has is lost, and the walk goes on beside it. */
  async #load(id: Id): Promise<Tree> {
    try {
      return await loadTree(this.#source, this.#target, id, this.#options.signal);
    } catch (error) {
      this.lost.set(blobKey('tree', id), damageOf(error));
      return { nodes: [] };
    }
  }
}

/** From the target, where the source is damaged. */
export async function loadTree(
  source: IndexedRepository,
  target: IndexedRepository,
  id: Id,
  signal: AbortSignal,
): Promise<Tree> {
  try {
    return await source.loadTree(id, signal);
  } catch (error) {
    damageOf(error);
    if (!target.index.has('tree', id)) throw error;
    return await target.loadTree(id, signal);
  }
}

/**
 * Small snapshots, such as a journal's slices, share their packs and an index file; a large one is saved as soon as it
 * is there.
 */
function* batchesOf(
  reached: readonly Reached[],
  parts: (from: number, to: number) => Iterable<PackPart>,
): Generator<CopyBatch> {
  let snapshots: StoredSnapshot[] = [];
  let start = { blobs: 0, bytes: 0 };
  for (const [at, end] of reached.entries()) {
    snapshots.push(end.snapshot);
    if (end.bytes - start.bytes < BYTES_OF_A_BATCH && at < reached.length - 1) continue;
    const [from, to] = [start.blobs, end.blobs];
    yield { snapshots, parts: () => parts(from, to) };
    snapshots = [];
    start = end;
  }
}

const BYTES_OF_A_BATCH = 256 * 1024 * 1024;

/** Blobs by pack, and in a pack by offset: read once, from the beginning to the end. */
function* partsOf({ index }: IndexedRepository, entries: readonly number[]): Generator<PackPart> {
  const { table, packs } = index;
  const sorted = entries.toSorted(
    (a, b) => table.packOf(a) - table.packOf(b) || table.offsetOf(a) - table.offsetOf(b),
  );
  for (let start = 0; start < sorted.length; ) {
    const number = table.packOf(sorted[start] as number);
    let end = start;
    while (end < sorted.length && table.packOf(sorted[end] as number) === number) end += 1;
    const blobs = sorted.slice(start, end).map(
      (entry): PackedBlob => ({
        type: table.typeOf(entry),
        id: table.idOf(entry),
        offset: table.offsetOf(entry),
        length: table.lengthOf(entry),
        uncompressedLength: table.uncompressedLengthOf(entry),
      }),
    );
    yield { pack: packs[number] as Id, blobs };
    start = end;
  }
}
