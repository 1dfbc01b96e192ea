import { decodeIndexFile, type IndexFile, type MarkedPack } from '../format/index-file.ts';
import type { BlobType, IndexedPack } from '../format/types.ts';
import { mapConcurrently } from '../kernel/concurrency.ts';
import { type Failure, isFailure } from '../kernel/failure.ts';
import { bytesFromId, type Id } from '../kernel/id.ts';
import { BlobTable } from './blob-table.ts';
import type { Repository } from './repository.ts';

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

/**
 * Which blob lies where: all index files of a repository in one table. Packs that are marked for deletion do not
 * count: what lies only there is stored anew. Whoever only reads may ask for them with `countMarked`.
 */
export class Index {
  readonly table: BlobTable;
  readonly #files: Set<string>;
  readonly #contents = new Map<string, IndexFileContents>();
  readonly #packs: Id[] = [];
  readonly #packNumbers = new Map<Id, number>();
  /** Further places of blobs that are stored more than once, by entry. */
  readonly #copies = new Map<number, BlobLocation[]>();
  readonly #marked = new Map<Id, MarkedPack>();

  private constructor(table: BlobTable, files: Iterable<string>) {
    this.table = table;
    this.#files = new Set(files);
  }

  /** The index files that say what this says, by name: those that it was read from, and those written from it. */
  get files(): ReadonlySet<string> {
    return this.#files;
  }

  /** A file was written with packs that are in here. */
  addFile(name: string): void {
    this.#files.add(name);
  }

  /** For packs that are being written anew, apart from those that are there. */
  static empty(): Index {
    return new Index(BlobTable.create(0), []);
  }

  /**
   * Reads every index file. Throws `repository.damaged` for one that cannot be read: guessing would lose data. One that
   * goes between being listed and being read was replaced by others: then all of it is read again.
   */
  static async load(repository: Repository, signal?: AbortSignal): Promise<Index> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await Index.#read(repository, signal, (_, failure) => {
          throw failure;
        });
      } catch (error) {
        if (!isFailure(error, 'backend.not-found') || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }

  /**
   * For a check alone: reads the index files that can be read and tells of the others. What only they name is missing
   * from the index, so nothing may be written or removed by it.
   */
  static async loadReadable(
    repository: Repository,
    onDamaged: (name: string, failure: Failure) => void,
    signal?: AbortSignal,
  ): Promise<Index> {
    return await Index.#read(repository, signal, onDamaged);
  }

  static async #read(
    repository: Repository,
    signal: AbortSignal | undefined,
    onDamaged: (name: string, failure: Failure) => void,
  ): Promise<Index> {
    const files: { name: string; size: number }[] = [];
    for await (const file of repository.backend.list('index', signal)) files.push(file);
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    const index = new Index(
      BlobTable.create(Math.ceil(bytes / BYTES_PER_BLOB)),
      files.map((file) => file.name),
    );
    await mapConcurrently(files, repository.backend.connections, async ({ name }) => {
      try {
        await index.#readFile(repository, name, signal);
      } catch (error) {
        if (!isFailure(error)) throw error;
        onDamaged(name, error);
      }
    });
    return index;
  }

  /**
   * Reads the index files that were added since. Answers false when one of those that were read or written is gone: then
   * packs were marked or removed, and only reading all of it anew tells which.
   */
  async refresh(repository: Repository, signal?: AbortSignal): Promise<boolean> {
    const there = new Set<string>();
    for await (const { name } of repository.backend.list('index', signal)) there.add(name);
    if (!this.#files.isSubsetOf(there)) return false;
    try {
      await mapConcurrently(there.difference(this.#files), repository.backend.connections, async (name) => {
        await this.#readFile(repository, name, signal);
        this.#files.add(name);
      });
    } catch (error) {
      if (isFailure(error, 'backend.not-found')) return false;
      throw error;
    }
    return true;
  }

  async #readFile(repository: Repository, name: string, signal: AbortSignal | undefined): Promise<void> {
    const { packs, packsToDelete } = decodeIndexFile(
      await repository.loadFile({ type: 'index', name }, signal),
    );
    for (const pack of packs) this.addPack(pack);
    for (const pack of packsToDelete) this.#addMark(pack);
    this.#contents.set(name, contentsOf({ packs, packsToDelete }));
  }

  /** What each index file that was read names, for whoever is going to replace some. */
  get contents(): ReadonlyMap<string, IndexFileContents> {
    return this.#contents;
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
    return [...this.#marked.values()].filter((pack) => !this.#packNumbers.has(pack.id));
  }

  /** The further places of blobs that are stored more than once, by the entry that has the first place. */
  copies(): ReadonlyMap<number, readonly BlobLocation[]> {
    return this.#copies;
  }

  /** Packs in the order in which they were met: their position is their number. */
  get packs(): readonly Id[] {
    return this.#packs;
  }

  addPack(pack: IndexedPack): void {
    const number = this.packNumber(pack.id);
    for (const blob of pack.blobs) {
      const id = bytesFromId(blob.id);
      const claimed = this.table.claim(blob.type, id);
      const entry = claimed >= 0 ? claimed : this.table.find(blob.type, id);
      const placed = this.table.packOf(entry);
      if (placed < 0) {
        this.table.place(entry, number, blob.offset, blob.length, blob.uncompressedLength);
      } else if (placed !== number || this.table.offsetOf(entry) !== blob.offset) {
        const { offset, length, uncompressedLength } = blob;
        const copies = this.#copies.get(entry) ?? [];
        copies.push({ pack: pack.id, offset, length, uncompressedLength });
        this.#copies.set(entry, copies);
      }
    }
  }

  /** Marked twice, as when a prune was killed, a pack has its time from the later mark. */
  #addMark(pack: MarkedPack): void {
    const known = this.#marked.get(pack.id);
    if (known === undefined || markedAt(pack) > markedAt(known)) this.#marked.set(pack.id, pack);
  }

  /** The number under which the table knows a pack. */
  packNumber(id: Id): number {
    const known = this.#packNumbers.get(id);
    if (known !== undefined) return known;
    const number = this.#packs.push(id) - 1;
    this.#packNumbers.set(id, number);
    return number;
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
      pack: this.#packs[number] as Id,
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

const SEAL_BYTES = 32;
const MOST_ATTEMPTS = 8;
/** An index file spends about this much on a blob, compressed: an estimate that sizes the table. */
const BYTES_PER_BLOB = 45;
