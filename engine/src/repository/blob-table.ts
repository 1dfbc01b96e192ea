import type { BlobType } from '../format/types.ts';
import { Failure } from '../kernel/failure.ts';
import type { Id } from '../kernel/id.ts';

/**
 * Every blob of a repository in one hash table that all threads share.
 *
 * Entries are appended to a dense array and never move or go away; the slots only hold entry numbers (+1, 0 = empty),
 * so that an empty table costs little and ten million blobs about 560 MB.
 *
 *     entry, 12 words of 32 bits
 *     ┌───────────────┬──────────────────────────────┬────────┬────────┬──────────────┐
 *     │ id (8 words)  │ tree? (1 bit) pack (31 bits) │ offset │ length │ uncompressed │
 *     └───────────────┴──────────────────────────────┴────────┴────────┴──────────────┘
 *
 * Claiming is lock-free: the key is written into a fresh entry, then published by a compare-and-swap on an empty
 * slot. Whoever loses the swap sees the winner's entry, which is complete by then, and leaves its own entry unused.
 * Places (pack, offset, lengths) are written by the main thread alone, after the pack is durable.
 *
 * The slots grow by levels, each twice as large as the one before; an entry's number decides its level, so no thread
 * has to tell another that the table grew. Two threads may both claim one blob while a level changes: it is stored
 * twice then, which costs a few bytes and harms nothing.
 */
export class BlobTable {
  readonly shared: SharedBlobTable;
  readonly #counter: Int32Array<SharedArrayBuffer>;
  readonly #slots: Int32Array<SharedArrayBuffer>;
  readonly #entries: Uint32Array<SharedArrayBuffer>;
  readonly #key = new Uint32Array(8);
  readonly #keyBytes = new Uint8Array(this.#key.buffer);

  private constructor(shared: SharedBlobTable) {
    this.shared = shared;
    this.#counter = new Int32Array(shared.counter);
    this.#slots = new Int32Array(shared.slots);
    this.#entries = new Uint32Array(shared.entries);
  }

  /** An empty table with room for `expected` blobs in its first level; it takes more, a little slower. */
  static create(expected: number): BlobTable {
    let firstLevel = MIN_SLOTS;
    while (firstLevel < expected * 2) firstLevel *= 2;
    const slots = new SharedArrayBuffer(firstLevel * 4, { maxByteLength: MAX_SLOTS * 4 });
    const entries = new SharedArrayBuffer(GROW_ENTRIES * ENTRY_BYTES, {
      maxByteLength: MAX_ENTRIES * ENTRY_BYTES,
    });
    return new BlobTable({ counter: new SharedArrayBuffer(4), slots, entries, firstLevel });
  }

  /** The same table in another thread. */
  static attach(shared: SharedBlobTable): BlobTable {
    return new BlobTable(shared);
  }

  /** Entries ever taken, unused ones included: an upper bound of the number of blobs. */
  get size(): number {
    return Atomics.load(this.#counter, 0);
  }

  /** The entry of a blob, or -1. `id` is 32 raw bytes. */
  find(type: BlobType, id: Uint8Array): number {
    this.#keyBytes.set(id);
    return this.#probe(type === 'tree' ? TREE_BIT : 0, this.#levels());
  }

  findId(type: BlobType, id: Id): number {
    return this.find(type, Buffer.from(id, 'hex'));
  }

  /** Claims a blob for whoever calls: the number of its new entry, or -1 when it is there or claimed already. */
  claim(type: BlobType, id: Uint8Array): number {
    this.#keyBytes.set(id);
    const typeBit = type === 'tree' ? TREE_BIT : 0;
    if (this.#probe(typeBit, this.#levels()) >= 0) return -1;

    const entry = Atomics.add(this.#counter, 0, 1);
    this.#reserve(entry);
    const at = entry * ENTRY_WORDS;
    this.#entries.set(this.#key, at);
    this.#entries[at + PLACE] = (typeBit | NO_PACK) >>> 0;

    const level = this.#levelOf(entry);
    const base = this.#levelBase(level);
    const mask = this.shared.firstLevel * 2 ** level - 1;
    for (let slot = (this.#key[0] as number) & mask; ; slot = (slot + 1) & mask) {
      let found = Atomics.load(this.#slots, base + slot);
      if (found === 0) {
        found = Atomics.compareExchange(this.#slots, base + slot, 0, entry + 1);
        if (found === 0) return entry;
      }
      if (this.#matches(found - 1, typeBit)) return -1;
    }
  }

  /** The id of an entry as 32 raw bytes, copied. */
  idBytes(entry: number): Buffer {
    return Buffer.from(this.#idView(entry));
  }

  idOf(entry: number): Id {
    return this.#idView(entry).toString('hex') as Id;
  }

  typeOf(entry: number): BlobType {
    return ((this.#entries[entry * ENTRY_WORDS + PLACE] as number) & TREE_BIT) === 0 ? 'data' : 'tree';
  }

  /** The number of the pack that holds an entry's blob, or -1 while none durably does. */
  packOf(entry: number): number {
    const pack = (this.#entries[entry * ENTRY_WORDS + PLACE] as number) & NO_PACK;
    return pack === NO_PACK ? -1 : pack;
  }

  offsetOf(entry: number): number {
    return this.#entries[entry * ENTRY_WORDS + PLACE + 1] as number;
  }

  lengthOf(entry: number): number {
    return this.#entries[entry * ENTRY_WORDS + PLACE + 2] as number;
  }

  uncompressedLengthOf(entry: number): number {
    return this.#entries[entry * ENTRY_WORDS + PLACE + 3] as number;
  }

  /** Main thread only: says where an entry's blob lies, durably. */
  place(entry: number, pack: number, offset: number, length: number, uncompressedLength: number): void {
    const at = entry * ENTRY_WORDS + PLACE;
    this.#entries[at] = (((this.#entries[at] as number) & TREE_BIT) | pack) >>> 0;
    this.#entries[at + 1] = offset;
    this.#entries[at + 2] = length;
    this.#entries[at + 3] = uncompressedLength;
  }

  #probe(typeBit: number, levels: number): number {
    for (let level = 0; level < levels; level += 1) {
      const base = this.#levelBase(level);
      // Another thread has taken the level's first entry, but not made its slots yet: nothing is published there.
      if (this.shared.slots.byteLength < this.#levelBase(level + 1) * 4) return -1;
      const mask = this.shared.firstLevel * 2 ** level - 1;
      for (let slot = (this.#key[0] as number) & mask; ; slot = (slot + 1) & mask) {
        const found = Atomics.load(this.#slots, base + slot);
        if (found === 0) break;
        if (this.#matches(found - 1, typeBit)) return found - 1;
      }
    }
    return -1;
  }

  #matches(entry: number, typeBit: number): boolean {
    const entries = this.#entries;
    const key = this.#key;
    const at = entry * ENTRY_WORDS;
    for (let word = 0; word < 8; word += 1) if (entries[at + word] !== key[word]) return false;
    return ((entries[at + PLACE] as number) & TREE_BIT) === typeBit;
  }

  #idView(entry: number): Buffer<SharedArrayBuffer> {
    return Buffer.from(this.shared.entries, entry * ENTRY_BYTES, 32);
  }

  /** Level k takes entries up to half its slots, so probes stay short. */
  #levelOf(entry: number): number {
    return 31 - Math.clz32(Math.floor(entry / (this.shared.firstLevel / 2)) + 1);
  }

  #levels(): number {
    return this.#levelOf(Math.max(0, this.size - 1)) + 1;
  }

  #levelBase(level: number): number {
    return this.shared.firstLevel * (2 ** level - 1);
  }

  #reserve(entry: number): void {
    grow(this.shared.entries, (entry + 1) * ENTRY_BYTES, GROW_ENTRIES * ENTRY_BYTES);
    const level = this.#levelOf(entry);
    grow(this.shared.slots, this.#levelBase(level + 1) * 4, 1);
  }
}

/** What a worker thread needs to attach. */
export interface SharedBlobTable {
  readonly counter: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly entries: SharedArrayBuffer;
  readonly firstLevel: number;
}

const ENTRY_WORDS = 12;
const ENTRY_BYTES = ENTRY_WORDS * 4;
const PLACE = 8;
/** As signed 32-bit numbers, since that is what bit operators return. */
const TREE_BIT = 0x80000000 | 0;
const NO_PACK = 0x7fffffff;
const MIN_SLOTS = 2 ** 18;
const MAX_SLOTS = 2 ** 28;
const MAX_ENTRIES = 2 ** 26;
const GROW_ENTRIES = 2 ** 15;

/** Makes `buffer` at least `needed` bytes long; another thread may be doing the same at this moment. */
function grow(buffer: SharedArrayBuffer, needed: number, step: number): void {
  if (needed > buffer.maxByteLength) {
    throw new Failure('repository.unsupported', `the repository has more than ${MAX_ENTRIES} blobs`, {
      hint: 'begin a second repository, or prune this one',
    });
  }
  while (buffer.byteLength < needed) {
    const wanted = Math.min(buffer.maxByteLength, Math.ceil(needed / step) * step);
    try {
      buffer.grow(wanted);
    } catch (error) {
      // Growing to less than another thread has just grown to is a RangeError, and just as good.
      if (buffer.byteLength < needed) throw error;
    }
  }
}
