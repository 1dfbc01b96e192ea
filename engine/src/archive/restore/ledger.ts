import type { ExtendedAttribute } from '../../format/types.ts';
import type { BytePath } from '../backup/byte-path.ts';

/** What the ledger keeps of an entry that is to be restored. Times in nanoseconds, `size` in bytes. */
export interface LedgerEntry {
  /** The record of the directory that it lies in. */
  readonly directory: number;
  readonly name: BytePath;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: bigint;
  readonly atime: bigint;
  readonly attributes: readonly ExtendedAttribute[];
  /** Entries of the blob table, in order; files only. */
  readonly blobs: readonly number[];
  /** Whether it was in the target before. */
  readonly existing: boolean;
  /** Whether it may have attributes that the snapshot does not know, and which have to go. */
  readonly scrub: boolean;
}

/** Where a file stands. It goes from `absent` through `making` to `there`, or ends as `refused`. */
export const FILE_STATE = { absent: 0, making: 1, there: 2, refused: 3 } as const;

/**
 * Everything that is to be restored, in memory that all threads share, so that a worker is told about a file with one
 * number and a million files cost some 100 MB. The main thread appends; workers read, and move a file's state on.
 *
 * A record's number is its offset in units of 8 bytes. Record 0 is the target directory itself.
 *
 *     0 directory u32 │ 4 state i32 │ 8 blobs to come i32 │ 12 damaged i32
 *     16 mode and flags u32 │ 20 uid u32 │ 24 gid u32 │ 28 number of blobs u32
 *     32 size f64 │ 40 mtime i64 │ 48 atime i64 │ 56 length of name u32 │ 60 length of attributes u32
 *     64 blobs u32 … │ name │ attributes: (length of name u32, length of value u32, name, value) …
 */
export class Ledger {
  readonly shared: SharedArrayBuffer;
  readonly #words: Uint32Array<SharedArrayBuffer>;
  readonly #signed: Int32Array<SharedArrayBuffer>;
  readonly #floats: Float64Array<SharedArrayBuffer>;
  readonly #longs: BigInt64Array<SharedArrayBuffer>;
  #end = 0;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#words = new Uint32Array(shared);
    this.#signed = new Int32Array(shared);
    this.#floats = new Float64Array(shared);
    this.#longs = new BigInt64Array(shared);
  }

  static create(): Ledger {
    const ledger = new Ledger(new SharedArrayBuffer(GROWTH_BYTES, { maxByteLength: MOST_BYTES }));
    ledger.append(TARGET_ENTRY);
    return ledger;
  }

  /** Returns the new record's number. */
  append(entry: LedgerEntry): number {
    const record = this.#end / UNIT;
    const attributes = entry.attributes.reduce(
      (sum, { name, value }) => sum + 8 + name.length + value.length,
      0,
    );
    const nameAt = this.#end + HEADER_BYTES + entry.blobs.length * 4;
    const end = nameAt + entry.name.length + attributes;
    this.#reserve(end);
    const word = this.#end / 4;
    this.#words[word + DIRECTORY] = entry.directory;
    this.#signed[word + STATE] = entry.existing ? FILE_STATE.there : FILE_STATE.absent;
    this.#signed[word + TO_COME] = entry.blobs.length;
    this.#signed[word + DAMAGED] = 0;
    const flags = (entry.existing ? EXISTING : 0) | (entry.scrub ? SCRUB : 0);
    this.#words[word + MODE] = (entry.mode & PERMISSIONS) | flags;
    this.#words[word + UID] = entry.uid;
    this.#words[word + GID] = entry.gid;
    this.#words[word + BLOBS] = entry.blobs.length;
    this.#floats[record + SIZE] = entry.size;
    this.#longs[record + MTIME] = clampTime(entry.mtime);
    this.#longs[record + ATIME] = clampTime(entry.atime);
    this.#words[word + NAME_LENGTH] = entry.name.length;
    this.#words[word + ATTRIBUTES_LENGTH] = attributes;
    for (let index = 0; index < entry.blobs.length; index += 1) {
      this.#words[word + FIRST_BLOB + index] = entry.blobs[index] as number;
    }
    Buffer.from(this.shared, nameAt, entry.name.length).write(entry.name, 'latin1');
    if (attributes > 0) this.#writeAttributes(nameAt + entry.name.length, entry.attributes);
    this.#end = Math.ceil(end / UNIT) * UNIT;
    return record;
  }

  directoryOf(record: number): number {
    return this.#words[record * 2 + DIRECTORY] as number;
  }

  nameOf(record: number): BytePath {
    const length = this.#words[record * 2 + NAME_LENGTH] as number;
    return Buffer.from(this.shared, this.#nameAt(record), length).toString('latin1');
  }

  /** From the target on, with a slash before each name. */
  pathOf(record: number): BytePath {
    const names: BytePath[] = [];
    for (let at = record; at !== TARGET; at = this.directoryOf(at)) names.push(this.nameOf(at));
    return `/${names.reverse().join('/')}`;
  }

  /** Permission bits, with setuid, setgid and sticky. */
  modeOf(record: number): number {
    return (this.#words[record * 2 + MODE] as number) & PERMISSIONS;
  }

  uidOf(record: number): number {
    return this.#words[record * 2 + UID] as number;
  }

  gidOf(record: number): number {
    return this.#words[record * 2 + GID] as number;
  }

  sizeOf(record: number): number {
    return this.#floats[record + SIZE] as number;
  }

  /** Undefined where the snapshot does not know it. */
  timesOf(record: number): { atime: bigint; mtime: bigint } | undefined {
    const [mtime, atime] = [this.#longs[record + MTIME] as bigint, this.#longs[record + ATIME] as bigint];
    return mtime === NO_TIME ? undefined : { mtime, atime: atime === NO_TIME ? mtime : atime };
  }

  isExisting(record: number): boolean {
    return ((this.#words[record * 2 + MODE] as number) & EXISTING) !== 0;
  }

  needsScrub(record: number): boolean {
    return ((this.#words[record * 2 + MODE] as number) & SCRUB) !== 0;
  }

  /** What was there has been removed: the file is made anew. Before any worker was given one of its blobs. */
  becomesNew(record: number): void {
    this.#words[record * 2 + MODE] = (this.#words[record * 2 + MODE] as number) & ~EXISTING;
    Atomics.store(this.#signed, record * 2 + STATE, FILE_STATE.absent);
  }

  blobCount(record: number): number {
    return this.#words[record * 2 + BLOBS] as number;
  }

  /** The entry in the blob table of a file's blob. */
  blobAt(record: number, position: number): number {
    return this.#words[record * 2 + FIRST_BLOB + position] as number;
  }

  attributesOf(record: number): ExtendedAttribute[] {
    const length = this.#words[record * 2 + ATTRIBUTES_LENGTH] as number;
    if (length === 0) return [];
    const start = this.#nameAt(record) + (this.#words[record * 2 + NAME_LENGTH] as number);
    const bytes = Buffer.from(Buffer.from(this.shared, start, length));
    const attributes: ExtendedAttribute[] = [];
    for (let at = 0; at < length; ) {
      const nameEnd = at + 8 + bytes.readUInt32LE(at);
      const valueEnd = nameEnd + bytes.readUInt32LE(at + 4);
      attributes.push({ name: bytes.subarray(at + 8, nameEnd), value: bytes.subarray(nameEnd, valueEnd) });
      at = valueEnd;
    }
    return attributes;
  }

  state(record: number): number {
    return Atomics.load(this.#signed, record * 2 + STATE);
  }

  /** For whoever makes the file: true for one thread only, which has to call `settle` afterwards. */
  beginMaking(record: number): boolean {
    const { absent, making } = FILE_STATE;
    return Atomics.compareExchange(this.#signed, record * 2 + STATE, absent, making) === absent;
  }

  settle(record: number, state: number): void {
    Atomics.store(this.#signed, record * 2 + STATE, state);
    Atomics.notify(this.#signed, record * 2 + STATE);
  }

  /** Blocks while another thread makes the file; returns its state then. */
  awaitMade(record: number): number {
    for (;;) {
      const state = this.state(record);
      if (state !== FILE_STATE.making) return state;
      Atomics.wait(this.#signed, record * 2 + STATE, FILE_STATE.making);
    }
  }

  setToCome(record: number, blobs: number): void {
    Atomics.store(this.#signed, record * 2 + TO_COME, blobs);
  }

  /** One blob less to come; true for whoever brought the last one. */
  arrived(record: number): boolean {
    return Atomics.sub(this.#signed, record * 2 + TO_COME, 1) === 1;
  }

  /** True for whoever was the first to find a file damaged. */
  markDamaged(record: number): boolean {
    return Atomics.exchange(this.#signed, record * 2 + DAMAGED, 1) === 0;
  }

  isDamaged(record: number): boolean {
    return Atomics.load(this.#signed, record * 2 + DAMAGED) !== 0;
  }

  #nameAt(record: number): number {
    return record * UNIT + HEADER_BYTES + this.blobCount(record) * 4;
  }

  #writeAttributes(start: number, attributes: readonly ExtendedAttribute[]): void {
    let at = start;
    for (const { name, value } of attributes) {
      const bytes = Buffer.from(this.shared, at, 8 + name.length + value.length);
      bytes.writeUInt32LE(name.length, 0);
      bytes.writeUInt32LE(value.length, 4);
      bytes.set(name, 8);
      bytes.set(value, 8 + name.length);
      at += bytes.length;
    }
  }

  #reserve(end: number): void {
    const { shared } = this;
    if (end + UNIT <= shared.byteLength) return;
    shared.grow(Math.min(shared.maxByteLength, Math.ceil((end + UNIT) / GROWTH_BYTES) * GROWTH_BYTES));
  }
}

/** The record of the target directory. */
export const TARGET = 0;

/** It has no attributes to be restored, like anything that the ledger only names. */
export const TARGET_ENTRY: LedgerEntry = {
  directory: TARGET,
  name: '',
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0n,
  atime: 0n,
  attributes: [],
  blobs: [],
  existing: true,
  scrub: false,
};

const UNIT = 8;
const HEADER_BYTES = 64;
const GROWTH_BYTES = 4 * 1024 * 1024;
/** Address space, not memory: room for 40 million files. */
const MOST_BYTES = 4 * 1024 * 1024 * 1024;

// In words of 4 bytes.
const DIRECTORY = 0;
const STATE = 1;
const TO_COME = 2;
const DAMAGED = 3;
const MODE = 4;
const UID = 5;
const GID = 6;
const BLOBS = 7;
const NAME_LENGTH = 14;
const ATTRIBUTES_LENGTH = 15;
const FIRST_BLOB = 16;
// In words of 8 bytes.
const SIZE = 4;
const MTIME = 5;
const ATIME = 6;

const PERMISSIONS = 0o7777;
const EXISTING = 1 << 16;
const SCRUB = 1 << 17;

/**
 * restic's times reach from year 1, which is Go's way to say that there is none, to 9999; a file system's nanoseconds
 * in 64 bits from 1677 to 2262.
 */
function clampTime(time: bigint): bigint {
  if (time < -LATEST) return NO_TIME;
  return time > LATEST ? LATEST : time;
}

const LATEST = 2n ** 63n - 1n;
const NO_TIME = -(2n ** 63n);
