import { encodeIndexFile, MOST_INDEXED_BLOBS } from '../format/index-file.ts';
import type { IndexedPack, PackedBlob } from '../format/types.ts';
import type { Clock } from '../kernel/clock.ts';
import { isFailure } from '../kernel/failure.ts';
import type { Index } from './index.ts';
import type { FinishedPack } from './packer.ts';
import type { Repository } from './repository.ts';

/**
 * Where finished packs go: saved durably, then recorded in the table, then in an index file.
 *
 * The order is what makes a kill harmless. A blob gets its place in the table only when its pack is durable, an index
 * file only names durable packs, and a snapshot is saved by the caller only after `finish`. A pack whose index file
 * was never written is garbage that prune finds; an index file without a snapshot is work that the next run need not
 * do again.
 */
export class PackSink {
  readonly #repository: Repository;
  readonly #index: Index;
  readonly #clock: Clock;
  readonly #mayWrite: Promise<void>;
  #unindexed: IndexedPack[] = [];
  #unindexedBlobs = 0;
  #lastIndexAt: number;
  #savingIndex: Promise<void> = Promise.resolve();

  /** Nothing is saved before `mayWrite` resolves: the caller's lock counts from then on. */
  constructor(repository: Repository, index: Index, clock: Clock, mayWrite: Promise<void>) {
    this.#repository = repository;
    this.#index = index;
    this.#clock = clock;
    this.#mayWrite = mayWrite;
    this.#lastIndexAt = clock.now();
  }

  /** Resolves when the pack is durable and its blobs have their places. */
  async add(pack: FinishedPack, signal?: AbortSignal): Promise<void> {
    await this.#mayWrite;
    try {
      await this.#repository.backend.save({ type: 'pack', name: pack.id }, pack.bytes, signal);
    } catch (error) {
      // Its name is its hash: what is there already is the same pack, saved by a try that was thought to have failed.
      if (!isFailure(error, 'backend.exists')) throw error;
    }
    this.#record(pack);
    const due = this.#clock.now() - this.#lastIndexAt >= INDEX_EVERY_MS;
    if (this.#unindexedBlobs >= MOST_INDEXED_BLOBS || due) await this.saveIndex(signal);
  }

  /** Saves an index file with the packs that no index file names yet, after those that are being saved. */
  async saveIndex(signal?: AbortSignal): Promise<void> {
    const saving = this.#savingIndex.then(() => this.#saveUnindexed(signal));
    // The failure is for whoever asked for this file; the next one is tried all the same.
    this.#savingIndex = saving.catch(() => undefined);
    await saving;
  }

  async #saveUnindexed(signal: AbortSignal | undefined): Promise<void> {
    const packs = this.#unindexed;
    const blobs = this.#unindexedBlobs;
    if (packs.length === 0) return;
    this.#unindexed = [];
    this.#unindexedBlobs = 0;
    this.#lastIndexAt = this.#clock.now();
    try {
      this.#index.addFile(await this.#repository.saveFile('index', encodeIndexFile(packs), signal));
    } catch (error) {
      // None is forgotten: what is durable may still be indexed by the next try.
      this.#unindexed = [...packs, ...this.#unindexed];
      this.#unindexedBlobs += blobs;
      throw error;
    }
  }

  #record(pack: FinishedPack): void {
    const { table } = this.#index;
    const number = this.#index.packNumber(pack.id);
    const blobs: PackedBlob[] = [];
    for (let at = 0; at < pack.layout.length; at += 4) {
      const [entry, offset, length, uncompressedLength] = pack.layout.subarray(
        at,
        at + 4,
      ) as unknown as Layout;
      table.place(entry, number, offset, length, uncompressedLength);
      blobs.push({ type: pack.type, id: table.idOf(entry), offset, length, uncompressedLength });
    }
    this.#unindexed.push({ id: pack.id, blobs });
    this.#unindexedBlobs += blobs.length;
  }
}

type Layout = readonly [entry: number, offset: number, length: number, uncompressedLength: number];

const INDEX_EVERY_MS = 5 * 60_000;
