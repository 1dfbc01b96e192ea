import { RECORD_PLACE, RECORD_WORDS } from '../format/index-scan.ts';
import type { BlobType } from '../format/types.ts';
import { Failure } from '../kernel/failure.ts';
import type { Id } from '../kernel/id.ts';

/**
 * Every blob of a repository in one hash table that all threads share.
 *
 * Entries are appended to a dense array and never move or go away; the slots only hold entry numbers (+1, 0 = empty),
 * so that an empty table costs little and ten million blobs about 560 MB.
 *
 *     entry, 12 words of 32 bits (the layout of a scanned record)
 *     ┌───────────────┬──────────────────────────────┬────────┬────────┬──────────────┐
 *     │ id (8 words)  │ tree? (1 bit) pack (31 bits) │ offset │ length │ uncompressed │
 *     └───────────────┴──────────────────────────────┴────────┴────────┴──────────────┘
 *
 * Claiming is lock-free: the key is written into a fresh entry, then published by a compare-and-swap on an empty
 * slot. Whoever loses the swap sees the winner's entry, which is complete by then, and leaves its own entry unused.
 * Places (pack, offset, lengths) are written by the main thread alone, after the pack is durable; only while an index is
 * loaded do several threads `add` blobs that have their places already.
 *
 * The slots grow by levels, each twice as large as the one before; an entry's number decides its level, so no thread
 * has to tell another that the table grew. Two threads may both claim one blob while a level changes: it is stored
 * twice then, which costs a few bytes and harms nothing.
 */
export class BlobTable {
  readonly shared: SharedBlobTable;
  readonly #counter: Int32Array<SharedArrayBuffer>;
  /**
   * Views of fixed length over buffers that grow, made anew when they are too short: of views that follow their buffer,
   * every access has to ask for its length, which takes as long as all the rest.
   */
  #slots: Int32Array<SharedArrayBuffer>;
  #entries: Uint32Array<SharedArrayBuffer>;
  readonly #key = new Uint32Array(8);
  readonly #keyBytes = new Uint8Array(this.#key.buffer);

  private constructor(shared: SharedBlobTable) {
    this.shared = shared;
    this.#counter = new Int32Array(shared.counter);
    this.#slots = new Int32Array(shared.slots, 0, shared.slots.byteLength / 4);
    this.#entries = new Uint32Array(shared.entries, 0, shared.entries.byteLength / 4);
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

  /** A table of the size that another one was saved with: its bytes are to be filled in. */
  static restore({ firstLevel, size }: TableShape): BlobTable {
    const table = BlobTable.create(firstLevel / 2);
    const last = Math.max(0, size - 1);
    table.#makeRoom(last);
    table.#openLevel(table.#levelOf(last));
    table.#counter[0] = size;
    return table;
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
    const entry = this.#append();
    this.#upTo(entry)[entry * ENTRY_WORDS + PLACE] = (typeBit | NO_PACK) >>> 0;
    return this.#publish(entry, typeBit) === entry ? entry : -1;
  }

  /**
   * Adds a blob with its place: the record at word `at`, which has the layout of an entry. Answers -1 when it lies there
   * now, or the entry that has the blob elsewhere already. The place is written before the entry is published, so that
   * whoever comes second can compare.
   */
  add(records: Uint32Array, at: number): number {
    const key = this.#key;
    for (let word = 0; word < PLACE; word += 1) key[word] = records[at + word] as number;
    const typeBit = (records[at + PLACE] as number) & TREE_BIT;
    let found = this.#probe(typeBit, this.#levels());
    if (found < 0) {
      const entry = this.#append();
      const entries = this.#upTo(entry);
      for (let word = PLACE; word < ENTRY_WORDS; word += 1)
        entries[entry * ENTRY_WORDS + word] = records[at + word] as number;
      found = this.#publish(entry, typeBit);
      if (found === entry) return -1;
      this.withdraw(entry);
    }
    const entries = this.#upTo(found);
    const place = found * ENTRY_WORDS + PLACE;
    const same = entries[place] === records[at + PLACE] && entries[place + 1] === records[at + PLACE + 1];
    return same ? -1 : found;
  }

  /**
   * After several threads have added at once: what two of them added while a level changed, among the entries from
   * `from` on, and for each such entry the one that stays.
   */
  doubles(from: number): Map<number, number> {
    const doubles = new Map<number, number>();
    const levels = this.#levels();
    for (let entry = Math.max(from, this.shared.firstLevel / 2); entry < this.size; entry += 1) {
      if (this.packOf(entry) < 0) continue;
      const at = entry * ENTRY_WORDS;
      const entries = this.#upTo(entry);
      this.#key.set(entries.subarray(at, at + PLACE));
      const stays = this.#probe((entries[at + PLACE] as number) & TREE_BIT, levels);
      if (stays !== entry) doubles.set(entry, stays);
    }
    return doubles;
  }

  /** An entry that nobody finds any more holds nothing. */
  withdraw(entry: number): void {
    const at = entry * ENTRY_WORDS + PLACE;
    const entries = this.#upTo(entry);
    entries[at] = ((entries[at] as number) | NO_PACK) >>> 0;
  }

  /** A fresh entry with the key, seen by nobody yet. */
  #append(): number {
    const entry = Atomics.add(this.#counter, 0, 1);
    if ((entry + 1) * ENTRY_WORDS > this.#entries.length) this.#makeRoom(entry);
    const entries = this.#upTo(entry);
    const at = entry * ENTRY_WORDS;
    for (let word = 0; word < PLACE; word += 1) entries[at + word] = this.#key[word] as number;
    return entry;
  }

  /** Lets everybody see an entry that is complete. Answers it, or the one of whoever was first. */
  #publish(entry: number, typeBit: number): number {
    const level = this.#levelOf(entry);
    this.#openLevel(level);
    const base = this.#levelBase(level);
    const mask = (this.shared.firstLevel << level) - 1;
    for (let slot = (this.#key[0] as number) & mask; ; slot = (slot + 1) & mask) {
      let found = Atomics.load(this.#slots, base + slot);
      if (found === 0) {
        found = Atomics.compareExchange(this.#slots, base + slot, 0, entry + 1);
        if (found === 0) return entry;
      }
      if (this.#matches(found - 1, typeBit)) return found - 1;
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
    return ((this.#upTo(entry)[entry * ENTRY_WORDS + PLACE] as number) & TREE_BIT) === 0 ? 'data' : 'tree';
  }

  /** The number of the pack that holds an entry's blob, or -1 while none durably does. */
  packOf(entry: number): number {
    const pack = (this.#upTo(entry)[entry * ENTRY_WORDS + PLACE] as number) & NO_PACK;
    return pack === NO_PACK ? -1 : pack;
  }

  offsetOf(entry: number): number {
    return this.#upTo(entry)[entry * ENTRY_WORDS + PLACE + 1] as number;
  }

  lengthOf(entry: number): number {
    return this.#upTo(entry)[entry * ENTRY_WORDS + PLACE + 2] as number;
  }

  uncompressedLengthOf(entry: number): number {
    return this.#upTo(entry)[entry * ENTRY_WORDS + PLACE + 3] as number;
  }

  /** Main thread only: says where an entry's blob lies, durably. */
  place(entry: number, pack: number, offset: number, length: number, uncompressedLength: number): void {
    const at = entry * ENTRY_WORDS + PLACE;
    const entries = this.#upTo(entry);
    entries[at] = (((entries[at] as number) & TREE_BIT) | pack) >>> 0;
    entries[at + 1] = offset;
    entries[at + 2] = length;
    entries[at + 3] = uncompressedLength;
  }

  /** How many bytes of `shared.entries` and `shared.slots` hold something. */
  get bytesInUse(): { readonly entries: number; readonly slots: number } {
    return { entries: this.size * ENTRY_BYTES, slots: this.#levelBase(this.#levels()) * 4 };
  }

  #probe(typeBit: number, levels: number): number {
    for (let level = 0; level < levels; level += 1) {
      const base = this.#levelBase(level);
      // Another thread has taken the level's first entry, but not made its slots yet: nothing is published there.
      if (!this.#hasSlots(level)) return -1;
      const mask = (this.shared.firstLevel << level) - 1;
      for (let slot = (this.#key[0] as number) & mask; ; slot = (slot + 1) & mask) {
        const found = Atomics.load(this.#slots, base + slot);
        if (found === 0) break;
        if (this.#matches(found - 1, typeBit)) return found - 1;
      }
    }
    return -1;
  }

  #matches(entry: number, typeBit: number): boolean {
    const entries = this.#upTo(entry);
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
    return this.shared.firstLevel * ((1 << level) - 1);
  }

  #makeRoom(entry: number): void {
    grow(this.shared.entries, (entry + 1) * ENTRY_BYTES, GROW_ENTRIES * ENTRY_BYTES);
  }

  #openLevel(level: number): void {
    if (this.#hasSlots(level)) return;
    grow(this.shared.slots, this.#levelBase(level + 1) * 4, 1);
    this.#hasSlots(level);
  }

  /** Whether the view of the slots has this level's. */
  #hasSlots(level: number): boolean {
    const needed = this.#levelBase(level + 1);
    if (needed > this.#slots.length) {
      const { slots } = this.shared;
      this.#slots = new Int32Array(slots, 0, slots.byteLength / 4);
    }
    return needed <= this.#slots.length;
  }

  /** The entries, this one and all before it among them. */
  #upTo(entry: number): Uint32Array<SharedArrayBuffer> {
    if ((entry + 1) * ENTRY_WORDS > this.#entries.length) {
      const { entries } = this.shared;
      this.#entries = new Uint32Array(entries, 0, entries.byteLength / 4);
    }
    return this.#entries;
  }
}

/** What a table has to be made with to take the bytes of another one. */
export interface TableShape {
  readonly firstLevel: number;
  readonly size: number;
}

/** What a worker thread needs to attach. */
export interface SharedBlobTable {
  readonly counter: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly entries: SharedArrayBuffer;
  readonly firstLevel: number;
}

const ENTRY_WORDS = RECORD_WORDS;
const ENTRY_BYTES = ENTRY_WORDS * 4;
const PLACE = RECORD_PLACE;
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
