import type { Backend } from '../backend/backend.ts';
import type { Id } from '../kernel/id.ts';

/**
 * Whole packs in memory, the least recently used one dropped first. For packs whose blobs are read by the thousand
 * (trees): ten thousand small reads become a few large ones.
 */
export class PackCache {
  readonly #backend: Backend;
  readonly #capacity: number;
  /** In order of use: a Map keeps insertion order, and a used pack is inserted again. */
  readonly #packs = new Map<Id, Promise<Uint8Array>>();
  readonly #sizes = new Map<Id, number>();
  #held = 0;
  #fetching = 0;

  /** `capacity` in bytes; one pack larger than that is still held while it is the only one. */
  constructor(backend: Backend, capacity: number) {
    this.#backend = backend;
    this.#capacity = capacity;
  }

  /** `length` bytes of a pack from `offset`. The view is shared: do not write into it. */
  async load(pack: Id, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    let whole = this.#packs.get(pack);
    if (whole === undefined) whole = this.#fetch(pack, signal);
    else {
      this.#packs.delete(pack);
      this.#packs.set(pack, whole);
    }
    const bytes = await whole;
    // A pack that is shorter than its index says is asked again for just this range, which names the failure.
    if (bytes.length < offset + length) {
      return await this.#backend.load({ type: 'pack', name: pack }, { offset, length }, signal);
    }
    return bytes.subarray(offset, offset + length);
  }

  /** Whether a load of it would not have to begin now. */
  has(pack: Id): boolean {
    return this.#packs.has(pack);
  }

  /** Begins to load packs that will be asked for soon, some at a time: those that are on their way are enough then. */
  expect(packs: Iterable<Id>, signal?: AbortSignal): void {
    for (const pack of packs) {
      if (this.#fetching >= MOST_FETCHED_AHEAD) return;
      // Whoever asks for it hears of the failure, since it is not held then.
      if (!this.has(pack)) this.#fetch(pack, signal).catch(() => undefined);
    }
  }

  async #fetch(pack: Id, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const whole = this.#backend.load({ type: 'pack', name: pack, metadata: true }, undefined, signal);
    this.#packs.set(pack, whole);
    this.#fetching += 1;
    try {
      this.#keep(pack, (await whole).length);
      return await whole;
    } catch (error) {
      if (this.#packs.get(pack) === whole) this.#packs.delete(pack);
      throw error;
    } finally {
      this.#fetching -= 1;
    }
  }

  #keep(pack: Id, size: number): void {
    // Dropped while it was being loaded, or loaded twice because of that: what is not held is not counted.
    if (!this.#packs.has(pack)) return;
    this.#held += size - (this.#sizes.get(pack) ?? 0);
    this.#sizes.set(pack, size);
    for (const [oldest] of this.#packs) {
      if (this.#held <= this.#capacity || oldest === pack) break;
      this.#held -= this.#sizes.get(oldest) ?? 0;
      this.#sizes.delete(oldest);
      this.#packs.delete(oldest);
    }
  }
}

/** Tree packs of 16 MiB: no more than the cache of an indexed repository can hold. */
const MOST_FETCHED_AHEAD = 4;
