import { decodeIndexFile, encodeIndexFile, type IndexFile, type MarkedPack } from '../format/index-file.ts';
import type { BlobType, IndexedPack } from '../format/types.ts';
import { bytesFromId, type Id } from '../kernel/id.ts';
import { BlobTable } from './blob-table.ts';
import { PackNumbers } from './pack-numbers.ts';

/** Where a blob lies. Lengths and offset in bytes of the pack; `uncompressedLength` 0 means stored as it is. */
export interface BlobLocation {
  readonly pack: Id;
  readonly offset: number;
  readonly length: number;
  readonly uncompressedLength: number;
}

/** What one index file names. */
export interface IndexFileContents {
  readonly packs: readonly Id[];
  readonly marked: readonly Id[];
  /** How many blobs of packs in use. */
  readonly blobs: number;
}

/** The same, as it is kept: by the numbers of the packs, and marks as the JSON of an index file that has only them. */
export interface ReadFile {
  readonly packs: Uint32Array;
  readonly marks: Uint8Array | undefined;
  readonly blobs: number;
}

/**
 * Which blob lies where: all index files of a repository in one table. Packs that are marked for deletion do not
 * count: what lies only there is stored anew. Whoever only reads may ask for them with `countMarked`.
 */
export class Index {
  readonly table: BlobTable;
  readonly packNumbers: PackNumbers;
  readonly #read = new Map<string, ReadFile>();
  readonly #written = new Set<string>();
  /** Further places of blobs that are stored more than once, by entry. */
  readonly #copies = new Map<number, BlobLocation[]>();
  /** Of all files that were read; undefined until somebody asks. */
  #marks: ReadonlyMap<Id, MarkedPack> | undefined;

  constructor(table: BlobTable, packNumbers: PackNumbers = new PackNumbers()) {
    this.table = table;
    this.packNumbers = packNumbers;
  }

  /** For packs that are being written anew, apart from those that are there. */
  static empty(): Index {
    return new Index(BlobTable.create(0));
  }

  /** The index files that say what this says, by name: those that it was read from, and those written from it. */
  get files(): ReadonlySet<string> {
    return new Set([...this.#read.keys(), ...this.#written]);
  }

  /** A file was written with packs that are in here. */
  addFile(name: string): void {
    this.#written.add(name);
  }

  /** Takes in what a file says. */
  readFile(name: string, { packs, packsToDelete }: Pick<IndexFile, 'packs' | 'packsToDelete'>): void {
    for (const pack of packs) this.addPack(pack);
    this.noteFile(name, {
      packs: Uint32Array.from(packs, ({ id }) => this.packNumber(id)),
      marks: packsToDelete.length === 0 ? undefined : encodeIndexFile([], packsToDelete),
      blobs: packs.reduce((sum, { blobs }) => sum + blobs.length, 0),
    });
  }

  /** A file was read whose blobs are in the table. */
  noteFile(name: string, file: ReadFile): void {
    this.#read.set(name, file);
    if (file.marks !== undefined) this.#marks = undefined;
  }

  get filesRead(): ReadonlyMap<string, ReadFile> {
    return this.#read;
  }

  /** What each index file that was read names, for whoever is going to replace some. */
  contents(): Map<string, IndexFileContents> {
    const { all } = this.packNumbers;
    const named = ({ packs, marks, blobs }: ReadFile): IndexFileContents => ({
      packs: Array.from(packs, (number) => all[number] as Id),
      marked: marksIn(marks).map(({ id }) => id),
      blobs,
    });
    return new Map(Array.from(this.#read, ([name, file]) => [name, named(file)]));
  }

  /**
   * Lets marked packs count as well, behind all others: their files are still there, and what lies nowhere else can be
   * read from them. Never for an index that somebody writes by: what is stored in such a pack only, is going to go.
   */
  countMarked(): void {
    for (const pack of this.marked()) this.addPack(pack);
  }

  /** The packs that are marked for deletion and no index file counts as in use. */
  marked(): MarkedPack[] {
    this.#marks ??= latestMarks(this.#read.values());
    return [...this.#marks.values()].filter(({ id }) => this.packNumbers.find(bytesFromId(id)) < 0);
  }

  /** The further places of blobs that are stored more than once, by the entry that has the first place. */
  copies(): ReadonlyMap<number, readonly BlobLocation[]> {
    return this.#copies;
  }

  /** Packs in the order in which they were met: their position is their number. */
  get packs(): readonly Id[] {
    return this.packNumbers.all;
  }

  addPack(pack: IndexedPack): void {
    const number = this.packNumber(pack.id);
    for (const blob of pack.blobs) {
      const id = bytesFromId(blob.id);
      const { offset, length, uncompressedLength } = blob;
      const claimed = this.table.claim(blob.type, id);
      const entry = claimed >= 0 ? claimed : this.table.find(blob.type, id);
      const placed = this.table.packOf(entry);
      if (placed < 0) this.table.place(entry, number, offset, length, uncompressedLength);
      else if (placed !== number || this.table.offsetOf(entry) !== offset)
        this.#addCopy(entry, { pack: pack.id, offset, length, uncompressedLength });
    }
  }

  /** Further places of blobs that have one: entry, number of the pack, offset, length, uncompressed length of each. */
  addCopies(words: Uint32Array): void {
    for (let at = 0; at < words.length; at += COPY_WORDS) {
      const [entry = 0, pack = 0, offset = 0, length = 0, uncompressedLength = 0] = words.subarray(
        at,
        at + COPY_WORDS,
      );
      this.#addCopy(entry, { pack: this.packNumbers.idOf(pack), offset, length, uncompressedLength });
    }
  }

  /** After several threads have added to the table: what two of them added has one entry and, if it is so, two places. */
  settle(from: number): void {
    for (const [double, stays] of this.table.doubles(from)) {
      const first = this.#locationOf(double);
      const places = [...(first === undefined ? [] : [first]), ...(this.#copies.get(double) ?? [])];
      this.#copies.delete(double);
      this.table.withdraw(double);
      for (const place of places) this.#addCopy(stays, place);
    }
  }

  #addCopy(entry: number, place: BlobLocation): void {
    const isThere = (known: BlobLocation | undefined) =>
      known?.pack === place.pack && known.offset === place.offset;
    const copies = this.#copies.get(entry) ?? [];
    if (isThere(this.#locationOf(entry)) || copies.some(isThere)) return;
    this.#copies.set(entry, [...copies, place]);
  }

  /** The number under which the table knows a pack. */
  packNumber(id: Id): number {
    return this.packNumbers.claim(bytesFromId(id));
  }

  has(type: BlobType, id: Id): boolean {
    return this.lookup(type, id) !== undefined;
  }

  /** The first place of a blob, or undefined when no durable pack holds it. */
  lookup(type: BlobType, id: Id): BlobLocation | undefined {
    const entry = this.table.findId(type, id);
    return entry < 0 ? undefined : this.#locationOf(entry);
  }

  /** Every place of a blob: when one is damaged another may serve. */
  lookupAll(type: BlobType, id: Id): BlobLocation[] {
    const entry = this.table.findId(type, id);
    const first = entry < 0 ? undefined : this.#locationOf(entry);
    return first === undefined ? [] : [first, ...(this.#copies.get(entry) ?? [])];
  }

  /** The length of a blob's plaintext in bytes. */
  lengthOf(type: BlobType, id: Id): number | undefined {
    const place = this.lookup(type, id);
    return place === undefined ? undefined : plaintextLength(place);
  }

  #locationOf(entry: number): BlobLocation | undefined {
    const { table } = this;
    const number = table.packOf(entry);
    if (number < 0) return undefined;
    return {
      pack: this.packNumbers.idOf(number),
      offset: table.offsetOf(entry),
      length: table.lengthOf(entry),
      uncompressedLength: table.uncompressedLengthOf(entry),
    };
  }
}

/** Milliseconds since the epoch; a mark that tells no time, or none that can be read, was made at no time yet. */
export function markedAt({ time }: MarkedPack): number {
  const at = Date.parse(time ?? '');
  return Number.isNaN(at) ? Number.POSITIVE_INFINITY : at;
}

export function contentsOf({
  packs,
  packsToDelete,
}: Pick<IndexFile, 'packs' | 'packsToDelete'>): IndexFileContents {
  return {
    packs: packs.map(({ id }) => id),
    marked: packsToDelete.map(({ id }) => id),
    blobs: packs.reduce((sum, { blobs }) => sum + blobs.length, 0),
  };
}

export function plaintextLength(place: { length: number; uncompressedLength: number }): number {
  return place.uncompressedLength > 0 ? place.uncompressedLength : place.length - SEAL_BYTES;
}

/** Marked twice, as when a prune was killed, a pack has its time from the later mark. */
function latestMarks(files: Iterable<ReadFile>): Map<Id, MarkedPack> {
  const latest = new Map<Id, MarkedPack>();
  for (const { marks } of files) {
    for (const pack of marksIn(marks)) {
      const known = latest.get(pack.id);
      if (known === undefined || markedAt(pack) > markedAt(known)) latest.set(pack.id, pack);
    }
  }
  return latest;
}

function marksIn(json: Uint8Array | undefined): readonly MarkedPack[] {
  return json === undefined ? [] : decodeIndexFile(json).packsToDelete;
}

const SEAL_BYTES = 32;
const COPY_WORDS = 5;
