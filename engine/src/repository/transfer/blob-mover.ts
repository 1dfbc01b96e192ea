import { availableParallelism } from 'node:os';
import type { BlobType, PackedBlob } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { type Failure, isFailure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import { lastCall } from '../../kernel/last-call.ts';
import { damageOf } from '../check/damage.ts';
import type { Index } from '../index.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import { PackSink } from '../pack-sink.ts';
import type { Repository } from '../repository.ts';
import { endOf, runsOf, startOf } from './blob-runs.ts';
import { TransferCrew } from './transfer-crew.ts';

export interface MoveOptions {
  readonly clock: Clock;
  /** Bytes at which a new pack is finished; the target's unless said. */
  readonly packSize?: number | undefined;
  /** How much there is to move, about: a little does not need many threads. */
  readonly bytes: number;
  /** At most; one for each core unless said. */
  readonly threads?: number | undefined;
  /** Hears of each blob that can be read from none of its places. Whatever it throws ends the move. */
  readonly onLost: (blob: PackedBlob, why: Failure) => void;
  /** Bytes of the source's packs that are done, since the last call. */
  readonly onMoved?: ((bytes: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/** Blobs of one pack, by offset. */
export interface PackPart {
  readonly pack: Id;
  readonly blobs: readonly PackedBlob[];
}

/**
 * Moves blobs from packs of one repository into new packs of another, or of the same, with all cores. This thread reads
 * and saves, the crew does what lies between. Memory is bounded by a few reads and packs for each thread.
 *
 * The caller holds locks on both, and counts on nothing that was moved before `finish` has resolved: then it is durable
 * and indexed. Index files are saved now and then before that, so that who is killed has little to do again.
 */
export class BlobMover {
  readonly #source: IndexedRepository;
  readonly #options: MoveOptions;
  readonly #crew: TransferCrew;
  readonly #sink: PackSink;
  readonly #readsAtOnce: number;
  #lastIndexAt: number;

  /** `index` knows what `target` has; blobs that are in it are not packed once more. */
  constructor(source: IndexedRepository, target: Repository, index: Index, options: MoveOptions) {
    const { clock, signal, packSize = target.packSize } = options;
    const most = options.threads ?? availableParallelism();
    const threads = Math.max(1, Math.min(most, Math.ceil(options.bytes / BYTES_WORTH_A_THREAD)));
    this.#source = source;
    this.#options = options;
    // One more than there are threads, so that each finds its next run in memory.
    this.#readsAtOnce = threads + 1;
    this.#lastIndexAt = clock.now();
    this.#sink = new PackSink(target, index, clock, Promise.resolve());
    const setup = {
      sourceKey: source.repository.key,
      targetKey: target.key,
      version: target.config.version,
      packSize,
      table: index.table.shared,
    };
    this.#crew = new TransferCrew(threads, setup, (pack) => this.#sink.add(pack, signal));
  }

  async move(parts: Iterable<PackPart>): Promise<void> {
    await mapConcurrently(runsOfAll(parts), this.#readsAtOnce, async ({ pack, blobs }) => {
      this.#options.signal.throwIfAborted();
      await this.#moveRun(pack, blobs);
      this.#options.onMoved?.(blobs.reduce((sum, { length }) => sum + length, 0));
      await this.#indexWhenDue();
    });
  }

  /** Makes everything durable and indexed. More may be moved afterwards. */
  async finish(): Promise<void> {
    await this.#crew.flush();
    await this.#sink.saveIndex(this.#options.signal);
  }

  /**
   * Ends the threads. After a failure what is durable is indexed still, for the next run to find; unless the lock is what
   * was lost: a prune may have taken our packs for garbage, and an index file that names them would be damage.
   */
  async stop(): Promise<void> {
    const { signal } = this.#options;
    await this.#crew.stop();
    if (isFailure(signal.reason, 'repository.lock-lost')) return;
    try {
      await this.#sink.saveIndex(lastCall(signal));
    } catch {
      // Why it was given up is what the caller has to hear; packs without an index are only work done twice.
    }
  }

  async #moveRun(pack: Id, blobs: readonly PackedBlob[]): Promise<void> {
    const bytes = await this.#load(pack, blobs);
    if (bytes === undefined) {
      for (const blob of blobs) await this.#rescue(blob);
      return;
    }
    const damaged = await this.#crew.rewrite({ blobs, bytes, offset: startOf(blobs) });
    for (const position of damaged) await this.#rescue(blobs[position] as PackedBlob);
  }

  /** Undefined when the pack does not have these bytes. */
  async #load(pack: Id, blobs: readonly PackedBlob[]) {
    const { backend } = this.#source.repository;
    const offset = startOf(blobs);
    const range = { offset, length: endOf(blobs) - offset };
    try {
      return await backend.load({ type: 'pack', name: pack }, range, this.#options.signal);
    } catch (error) {
      damageOf(error);
      return undefined;
    }
  }

  /** By itself, from whichever of its places has it. */
  async #rescue(blob: PackedBlob): Promise<void> {
    const content = await this.#contentOf(blob.type, blob.id);
    if (content instanceof Uint8Array) await this.#crew.save(blob.type, content);
    else this.#options.onLost(blob, content);
  }

  async #contentOf(type: BlobType, id: Id): Promise<Uint8Array | Failure> {
    try {
      return await this.#source.loadBlob(type, id, this.#options.signal);
    } catch (error) {
      return damageOf(error);
    }
  }

  async #indexWhenDue(): Promise<void> {
    const now = this.#options.clock.now();
    if (now - this.#lastIndexAt < INDEX_EVERY_MS) return;
    this.#lastIndexAt = now;
    await this.#sink.saveIndex(this.#options.signal);
  }
}

function* runsOfAll(parts: Iterable<PackPart>): Generator<PackPart> {
  for (const { pack, blobs } of parts) for (const run of runsOf(blobs)) yield { pack, blobs: run };
}

const BYTES_WORTH_A_THREAD = 8 * 1024 * 1024;
/** What is moved was there before: unlike a backup it is cheap to know what to leave out, if it is indexed. */
const INDEX_EVERY_MS = 60_000;
