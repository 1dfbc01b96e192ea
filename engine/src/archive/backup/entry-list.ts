import type { BigIntStats } from 'node:fs';

export interface SeenEntry {
  readonly name: string;
  readonly stat: BigIntStats;
}

/**
 * What one look at a directory saw: its entries in order of name, as compact bytes rather than objects, because many
 * directories wait for their children at once, because two looks are compared with one memcmp, and because the scan
 * cache stores the same bytes.
 *
 *     ┌──────────┬──────┬──────┬─────┬─────┬───────┬─────┬──────┬───────┬───────┬─────┬──────┬───────┐
 *     │ name len │ name │ mode │ uid │ gid │ links │ ino │ size │ mtime │ ctime │ dev │ rdev │ atime │
 *     │ u16      │      │ u32  │ u32 │ u32 │ u32   │ u64 │ u64  │ i64   │ i64   │ u64 │ u64  │ i64   │
 *     └──────────┴──────┴──────┴─────┴─────┴───────┴─────┴──────┴───────┴───────┴─────┴──────┴───────┘
 *
 * Names are byte strings: one character per byte (latin1), since Linux names are bytes and need not be UTF-8.
 * Times are nanoseconds since the epoch. Unless access times are wanted, atime holds the mtime (as restic saves it), so
 * that having read a file does not make it look changed.
 */
export class EntryList {
  readonly bytes: Buffer;
  readonly #view: DataView;
  readonly #starts: readonly number[];

  private constructor(bytes: Buffer, starts: readonly number[]) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#starts = starts;
  }

  static of(entries: readonly SeenEntry[], withAtime = false): EntryList {
    const size = entries.reduce((sum, { name }) => sum + NAME_LENGTH_BYTES + name.length + FIXED_BYTES, 0);
    const bytes = Buffer.allocUnsafe(size);
    const starts: number[] = [];
    let at = 0;
    for (const { name } of entries) {
      starts.push(at);
      bytes.writeUInt16LE(name.length, at);
      bytes.write(name, at + NAME_LENGTH_BYTES, 'latin1');
      at += NAME_LENGTH_BYTES + name.length + FIXED_BYTES;
    }
    const list = new EntryList(bytes, starts);
    for (const [index, { stat }] of entries.entries()) list.update(index, stat, withAtime);
    return list;
  }

  /** The list that `bytes` holds; they come from `of`, through the scan cache's checksum or from another thread. */
  static parse(bytes: Buffer): EntryList {
    const starts: number[] = [];
    for (let at = 0; at < bytes.length; at += NAME_LENGTH_BYTES + bytes.readUInt16LE(at) + FIXED_BYTES)
      starts.push(at);
    return new EntryList(bytes, starts);
  }

  get length(): number {
    return this.#starts.length;
  }

  name(index: number): string {
    const start = this.#start(index);
    return this.bytes.toString('latin1', start + NAME_LENGTH_BYTES, this.#fixed(index));
  }

  mode(index: number): number {
    return this.#view.getUint32(this.#fixed(index), true);
  }

  uid(index: number): number {
    return this.#view.getUint32(this.#fixed(index) + 4, true);
  }

  gid(index: number): number {
    return this.#view.getUint32(this.#fixed(index) + 8, true);
  }

  links(index: number): number {
    return this.#view.getUint32(this.#fixed(index) + 12, true);
  }

  inode(index: number): bigint {
    return this.#view.getBigUint64(this.#fixed(index) + 16, true);
  }

  size(index: number): number {
    return Number(this.#view.getBigUint64(this.#fixed(index) + 24, true));
  }

  mtime(index: number): bigint {
    return this.#view.getBigInt64(this.#fixed(index) + 32, true);
  }

  ctime(index: number): bigint {
    return this.#view.getBigInt64(this.#fixed(index) + 40, true);
  }

  device(index: number): bigint {
    return this.#view.getBigUint64(this.#fixed(index) + 48, true);
  }

  rdev(index: number): bigint {
    return this.#view.getBigUint64(this.#fixed(index) + 56, true);
  }

  atime(index: number): bigint {
    return this.#view.getBigInt64(this.#fixed(index) + 64, true);
  }

  /** Replaces what was seen of an entry by a later look, when it had changed by the time it was opened. */
  update(index: number, stat: BigIntStats, withAtime: boolean): void {
    const view = this.#view;
    const at = this.#fixed(index);
    view.setUint32(at, Number(stat.mode), true);
    view.setUint32(at + 4, Number(stat.uid), true);
    view.setUint32(at + 8, Number(stat.gid), true);
    view.setUint32(at + 12, Number(stat.nlink), true);
    view.setBigUint64(at + 16, stat.ino, true);
    view.setBigUint64(at + 24, stat.size, true);
    view.setBigInt64(at + 32, stat.mtimeNs, true);
    view.setBigInt64(at + 40, stat.ctimeNs, true);
    view.setBigUint64(at + 48, stat.dev, true);
    view.setBigUint64(at + 56, stat.rdev, true);
    view.setBigInt64(at + 64, withAtime ? stat.atimeNs : stat.mtimeNs, true);
  }

  /** Takes an entry over from another list: all but its name. */
  adopt(index: number, other: EntryList, otherIndex: number): void {
    const from = other.#fixed(otherIndex);
    other.bytes.copy(this.bytes, this.#fixed(index), from, from + FIXED_BYTES);
  }

  /** The size as it was read, which need not be what lstat said. */
  setSize(index: number, size: number): void {
    this.#view.setBigUint64(this.#fixed(index) + 24, BigInt(size), true);
  }

  /** Makes an entry differ from whatever a later look sees (nothing has no link), while it can still be found. */
  doubt(index: number): void {
    this.#view.setUint32(this.#fixed(index) + 12, 0, true);
  }

  /** The list with only the entries that `keep` names. */
  filter(keep: (index: number) => boolean): EntryList {
    const parts: Buffer[] = [];
    for (let index = 0; index < this.length; index += 1)
      if (keep(index)) parts.push(this.slice(index, index + 1));
    return EntryList.parse(Buffer.concat(parts));
  }

  /** The bytes of the entries from `first` up to, not including, `end`. */
  slice(first: number, end: number): Buffer {
    return this.bytes.subarray(this.#start(first), end < this.length ? this.#start(end) : this.bytes.length);
  }

  #start(index: number): number {
    const start = this.#starts[index];
    if (start === undefined) throw new RangeError(`no entry ${index} in a list of ${this.length}`);
    return start;
  }

  #fixed(index: number): number {
    const start = this.#start(index);
    return start + NAME_LENGTH_BYTES + this.#view.getUint16(start, true);
  }
}

const NAME_LENGTH_BYTES = 2;
const FIXED_BYTES = 72;
