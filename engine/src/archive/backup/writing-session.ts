import { semaphore } from '../../backend/wrap/semaphore.ts';
import type { Chunker } from '../../chunker/chunker.ts';
import type { CompressionMode } from '../../format/compression.ts';
import { encodeTree } from '../../format/tree.ts';
import type { BlobType, Node } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import { isFailure } from '../../kernel/failure.ts';
import { type Id, idFromBytes } from '../../kernel/id.ts';
import { lastCall } from '../../kernel/last-call.ts';
import { joined } from '../../repository/held-lock.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { PackSink } from '../../repository/pack-sink.ts';
import { allocateCounters, type Counts, currentPaths, sumCounters } from './counters.ts';
import { type CrewThreads, startCrewThreads } from './crew-threads.ts';
import type {
  BlobsResult,
  DirectoryResult,
  DirectoryTask,
  ScanProblem,
  ScanRules,
  WorkerSetup,
} from './protocol.ts';
import { WorkerCrew } from './worker-crew.ts';

export interface WritingOptions {
  readonly clock: Clock;
  /** Resolves when the caller's lock counts; until then blobs are made, but nothing is saved. */
  readonly mayWrite: Promise<void>;
  /** Threads that were started ahead; the session ends them. */
  readonly threads?: CrewThreads;
  /** How many to start otherwise; as many as the machine has cores unless said. */
  readonly workers?: number;
  readonly compression?: CompressionMode;
  /** Bytes at which a pack is finished; the repository's unless said. */
  readonly packSize?: number;
  readonly scan?: ScanRules;
  readonly signal?: AbortSignal;
  readonly onProblem?: (problem: ScanProblem) => void;
  /** Pieces of the next scan cache, in any order. */
  readonly onRecords?: (bytes: Uint8Array) => void;
}

/**
 * Writing blobs into a repository with all cores. Whatever the source is, bytes go in here: whole directories are
 * walked by the workers, streams are cut by the caller's chunker and handed to them in pieces.
 *
 * The caller holds a lock on the repository from before its index was loaded until `finish` has resolved and the
 * snapshot is saved. After `finish` all that was written is durable and indexed.
 */
export class WritingSession {
  readonly #crew: WorkerCrew;
  readonly #sink: PackSink;
  readonly #counters: SharedArrayBuffer;
  readonly #signal: AbortSignal | undefined;
  /** Stops saves that are under way when the session is given up for another reason than the caller's signal. */
  readonly #abandoned = new AbortController();
  /** Pieces of streams that the workers have, each resolving when it is done. */
  readonly #underWay = new Set<Promise<unknown>>();
  #bytesUnderWay = 0;
  readonly #buffers = new PieceBuffers();

  constructor(indexed: IndexedRepository, options: WritingOptions) {
    const { repository, index } = indexed;
    const threads = stillRunning(options.threads) ?? startCrewThreads(options.workers);
    this.#counters = allocateCounters(threads.workers.length);
    this.#signal = options.signal;
    this.#sink = new PackSink(repository, index, options.clock, options.mayWrite);
    const saves = semaphore(repository.backend.connections);
    const whileWanted = joined(this.#abandoned.signal, options.signal);
    const setup: Omit<WorkerSetup, 'worker'> = {
      key: repository.key,
      version: repository.config.version,
      chunkerPolynomial: repository.config.chunkerPolynomial,
      compression: options.compression ?? 'auto',
      packSize: options.packSize ?? repository.packSize,
      unsavedPacks: unsavedPacks(repository.backend.connections, threads.workers.length),
      table: index.table.shared,
      counters: this.#counters,
      scan: options.scan ?? NO_SCAN,
    };
    this.#crew = new WorkerCrew(threads, setup, {
      savePack: (pack) => saves.run(() => this.#sink.add(pack, whileWanted), whileWanted),
      loadTree: (id) => loadTreeIfThere(indexed, id, whileWanted),
      records: (bytes) => options.onRecords?.(bytes),
      problem: (problem) => options.onProblem?.(problem),
    });
  }

  /** What has been done so far; may be asked at any time. */
  counts(): Counts {
    return sumCounters(this.#counters);
  }

  currentPaths(): string[] {
    return currentPaths(this.#counters);
  }

  /** Saves a directory and all below it; undefined when it could not be read. */
  async saveDirectory(task: Omit<DirectoryTask, 'kind'>): Promise<Id | undefined> {
    const { tree } = (await this.#orAborted(
      this.#crew.do({ kind: 'directory', ...task }),
    )) as DirectoryResult;
    return tree === undefined ? undefined : idFromBytes(tree);
  }

  /**
   * Saves a stream as one file's content: cut here, and everything behind the cut by the workers. Memory is bounded by
   * a few pieces of 8 MiB whatever the stream's length.
   */
  async saveStream(
    stream: AsyncIterable<Uint8Array>,
    chunker: Chunker,
  ): Promise<{ content: Id[]; size: number }> {
    const { content, size } = await this.cutStream(stream, chunker);
    return { content: await content, size };
  }

  /**
   * Like `saveStream`, but resolves when the stream has been read and cut, so that the next of many can be read while
   * the workers still pack this one. The chunker is free again then. What is underway of all streams is bounded too.
   */
  async cutStream(
    stream: AsyncIterable<Uint8Array>,
    chunker: Chunker,
  ): Promise<{ content: Promise<Id[]>; size: number }> {
    const pieces: Promise<Uint8Array>[] = [];
    const batcher = new ChunkBatcher(chunker, this.#buffers, (buffer, ends) => {
      const bytes = buffer.byteLength;
      this.#bytesUnderWay += bytes;
      const piece = this.#crew.do({ kind: 'blobs', type: 'data', buffer, ends }).then((result) => {
        this.#buffers.giveBack(buffer);
        return (result as BlobsResult).ids;
      });
      pieces.push(piece);
      const settle = () => {
        this.#bytesUnderWay -= bytes;
        this.#underWay.delete(settled);
      };
      const settled: Promise<unknown> = piece.then(settle, settle);
      this.#underWay.add(settled);
    });
    let size = 0;
    for await (const bytes of stream) {
      this.#signal?.throwIfAborted();
      size += bytes.length;
      batcher.write(bytes);
      while (this.#bytesUnderWay >= MOST_UNDER_WAY) await Promise.race(this.#underWay);
    }
    batcher.end();
    const content = this.#orAborted(Promise.all(pieces)).then(idsOf);
    // Who reads on may look at this only later; a failure is not lost by that.
    content.catch(() => undefined);
    return { content, size };
  }

  /** Saves a chunk that the caller has cut. */
  async saveData(bytes: Uint8Array): Promise<Id> {
    return await this.#saveBlob('data', bytes);
  }

  /** Saves a tree that the caller has put together. */
  async saveTree(nodes: readonly Node[]): Promise<Id> {
    return await this.#saveBlob('tree', encodeTree(nodes));
  }

  /** Makes everything durable and indexed. Nothing can be saved afterwards. */
  async finish(): Promise<void> {
    await this.#orAborted(this.#crew.flush());
    await this.#crew.stop();
    await this.#sink.saveIndex(this.#signal);
  }

  /**
   * Gives up: stops the workers and keeps what is durable, indexed, for the next run to find; unless the lock is what
   * was lost. Bytes kept are told by the counters.
   */
  async abandon(): Promise<void> {
    this.#abandoned.abort();
    await this.#crew.stop();
    // Without a lock a prune may have taken our packs for garbage: an index file that names them would be damage.
    if (isFailure(this.#signal?.reason, 'repository.lock-lost')) return;
    try {
      await this.#sink.saveIndex(lastCall(this.#signal));
    } catch {
      // Why it was given up is what the caller has to hear; packs without an index are only work done twice.
    }
  }

  async #saveBlob(type: BlobType, bytes: Uint8Array): Promise<Id> {
    const buffer = new SharedArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    const task = { kind: 'blobs', type, buffer, ends: [bytes.length] } as const;
    const { ids } = (await this.#orAborted(this.#crew.do(task))) as BlobsResult;
    return idFromBytes(ids);
  }

  async #orAborted<Result>(work: Promise<Result>): Promise<Result> {
    const signal = this.#signal;
    if (signal === undefined) return await work;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([work, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

/**
 * So many that together the workers can use every connection, however few they are: on a long way a pack is under way
 * for longer than it takes to build. At least two: one is being saved while the next is built.
 */
function unsavedPacks(connections: number, workers: number): number {
  return Math.max(2, Math.ceil(connections / workers));
}

/** Threads that an earlier try has ended are of no use to the next one. */
function stillRunning(threads: CrewThreads | undefined): CrewThreads | undefined {
  return threads?.signals.stopped ? undefined : threads;
}

/** Cuts a stream and gathers the chunks into pieces that are worth a message. */
class ChunkBatcher {
  readonly #chunker: Chunker;
  readonly #buffers: PieceBuffers;
  readonly #deliver: (buffer: SharedArrayBuffer, ends: number[]) => void;
  #filled = 0;

  constructor(
    chunker: Chunker,
    buffers: PieceBuffers,
    deliver: (buffer: SharedArrayBuffer, ends: number[]) => void,
  ) {
    this.#chunker = chunker;
    this.#buffers = buffers;
    this.#deliver = deliver;
  }

  write(bytes: Uint8Array): void {
    const { memory } = this.#chunker;
    for (let from = 0; from < bytes.length; ) {
      const taken = Math.min(bytes.length - from, memory.length - this.#filled);
      memory.set(bytes.subarray(from, from + taken), this.#filled);
      this.#filled += taken;
      from += taken;
      if (this.#filled === memory.length) this.#cut(false);
    }
  }

  end(): void {
    if (this.#filled > 0) this.#cut(true);
  }

  #cut(final: boolean): void {
    const { memory } = this.#chunker;
    const ends: number[] = [];
    let start = 0;
    while (start < this.#filled) {
      const cut = this.#chunker.cut(start, this.#filled, final);
      if (cut <= start) break;
      ends.push(cut);
      start = cut;
    }
    const buffer = this.#buffers.take(start, memory.length);
    new Uint8Array(buffer).set(memory.subarray(0, start));
    this.#deliver(buffer, ends);
    memory.copyWithin(0, start, this.#filled);
    this.#filled -= start;
  }
}

/** Memory for pieces of streams, used again: as much as was ever under way at a time. */
class PieceBuffers {
  readonly #free = new Map<number, SharedArrayBuffer[]>();

  /** For so many bytes, of at most `most`, which is always the same for a chunker. What is small is made to measure. */
  take(bytes: number, most: number): SharedArrayBuffer {
    if (bytes < most / 2) return new SharedArrayBuffer(bytes);
    const free = this.#free.get(most);
    if (free === undefined) this.#free.set(most, []);
    return free?.pop() ?? new SharedArrayBuffer(most);
  }

  giveBack(buffer: SharedArrayBuffer): void {
    this.#free.get(buffer.byteLength)?.push(buffer);
  }
}

function idsOf(pieces: readonly Uint8Array[]): Id[] {
  const ids: Id[] = [];
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += 32) ids.push(idFromBytes(piece, at));
  }
  return ids;
}

async function loadTreeIfThere(
  indexed: IndexedRepository,
  id: Id,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  try {
    return await indexed.loadBlob('tree', id, signal);
  } catch (error) {
    // A parent whose trees are damaged or gone is no help, but no reason to stop: everything is read instead.
    if (NO_TREE.some((code) => isFailure(error, code))) return undefined;
    throw error;
  }
}

/** The index does not know it; its pack is gone, cut off or damaged. */
const NO_TREE = [
  'repository.blob-missing',
  'backend.not-found',
  'backend.short-read',
  'repository.damaged',
] as const;
/** Bytes of streams that the workers may have at a time. */
const MOST_UNDER_WAY = 64 * 1024 * 1024;
const NO_SCAN: ScanRules = {
  selection: { patterns: [], patternsIgnoringCase: [], tagFiles: [] },
  withAtime: false,
  ignoreInode: false,
  ignoreCtime: false,
  trustBefore: 0n,
  cache: undefined,
};
