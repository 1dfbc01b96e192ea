import type { ByteRange } from '../../backend/backend.ts';
import { type Semaphore, semaphore } from '../../backend/wrap/semaphore.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { isFailure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { eachBlob, rescueBlob } from './blob-rescue.ts';
import { type PackUses, rangesOf } from './pack-plan.ts';
import { wordsOf } from './problem.ts';
import type { PackRange, Uses } from './protocol.ts';
import type { RestoreCrew } from './restore-crew.ts';

/** Hands out packs to load; undefined when there is none now. */
export type TakePack = () => PackUses | undefined;

/**
 * Loads packs and has workers write what is in them, some at a time: that number times the size of a pack is the memory
 * that contents take. A pack is taken from the plan only when it is its turn: until then further uses of it may become
 * known, and for one that is known too late the pack is loaded again.
 */
export class PackFiller {
  readonly #indexed: IndexedRepository;
  readonly #crew: RestoreCrew;
  readonly #signal: AbortSignal | undefined;
  /** Ranges of all packs together. */
  readonly #loads: Semaphore;
  #take: TakePack = () => undefined;
  #atOnce = 0;
  readonly #running = new Set<Promise<void>>();
  readonly #damaged: { readonly uses: Uses; readonly reason: string }[] = [];
  readonly #failures: unknown[] = [];

  constructor(indexed: IndexedRepository, crew: RestoreCrew, signal: AbortSignal | undefined) {
    this.#indexed = indexed;
    this.#crew = crew;
    this.#signal = signal;
    this.#loads = semaphore(indexed.repository.backend.connections);
  }

  /**
   * Works on what is there already, while more is being found: no more at once than keeps the workers busy. From a far
   * place nothing is taken yet: of files with copies, a third would come twice.
   */
  begin(take: TakePack): void {
    if (this.#indexed.repository.backend.near !== true) return;
    this.#take = take;
    this.#atOnce = this.#crew.size + PACKS_AHEAD;
  }

  /** More may be there to take. Returns at once. */
  goOn(): void {
    this.#startMore();
  }

  /** Resolves when everything is written. Rejects with the first failure, after what was running has ended. */
  async finish(take: TakePack): Promise<void> {
    this.#take = take;
    this.#atOnce = Math.max(this.#crew.size + PACKS_AHEAD, this.#indexed.repository.backend.connections);
    this.#startMore();
    while (this.#running.size > 0) await Promise.race(this.#running);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  /** A worker could not open a blob. */
  damaged(uses: Uses, reason: string): void {
    this.#damaged.push({ uses, reason });
  }

  /** Starts nothing any more and waits for what is running. */
  async stop(): Promise<void> {
    this.#take = () => undefined;
    await Promise.all(this.#running);
  }

  #startMore(): void {
    while (this.#running.size < this.#atOnce && this.#failures.length === 0) {
      const next = this.#take();
      if (next === undefined) return;
      const job: Promise<void> = this.#fill(next)
        .catch((error: unknown) => {
          this.#failures.push(error);
        })
        .finally(() => {
          this.#running.delete(job);
          this.#startMore();
        });
      this.#running.add(job);
    }
  }

  async #fill({ pack, uses }: PackUses): Promise<void> {
    this.#signal?.throwIfAborted();
    const ranges = await this.#load(pack, uses);
    if (ranges !== undefined) {
      const transfer = [uses.buffer, ...ranges.map(({ bytes }) => bytes.buffer)];
      await this.#crew.do({ kind: 'pack', ranges, uses }, transfer);
    }
    for (let next = this.#damaged.pop(); next !== undefined; next = this.#damaged.pop()) {
      await this.#crew.do(await rescueBlob(this.#indexed, next.uses, next.reason, this.#signal));
    }
  }

  /** The bytes of a pack that are needed; undefined when it cannot be read, and its blobs are on their own. */
  async #load(pack: number, uses: Uses): Promise<PackRange[] | undefined> {
    const { index, repository } = this.#indexed;
    const handle = { type: 'pack', name: index.packs[pack] as Id } as const;
    try {
      const { backend } = repository;
      const load = (range: ByteRange) =>
        this.#loads.run(() => backend.load(handle, range, this.#signal), this.#signal);
      return await mapConcurrently(rangesOf(uses, index.table), backend.connections, async (range) => ({
        offset: range.offset,
        bytes: await load(range),
      }));
    } catch (error) {
      if (!isFailure(error) || error.code === 'interrupted' || error.code === 'backend.unreachable')
        throw error;
      for (const each of eachBlob(uses)) this.damaged(each, wordsOf(error));
      return undefined;
    }
  }
}

const PACKS_AHEAD = 2;
