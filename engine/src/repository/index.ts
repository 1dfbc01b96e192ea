import { decodeIndexFile, type MarkedPack } from '../format/index-file.ts';
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

/**
 * Which blob lies where: all index files of a repository in one table. Packs that rustic has marked for deletion do
 * not count: what lies only there is stored anew.
 */
export class Index {
  readonly table: BlobTable;
  readonly #files: Set<string>;
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

  /** Reads every index file. Throws `repository.damaged` for one that cannot be read: guessing would lose data. */
  static async load(repository: Repository, signal?: AbortSignal): Promise<Index> {
    return await Index.#read(repository, signal, (_, failure) => {
      throw failure;
    });
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
   * Reads the index files that were added since. Answers false when one of those that were read is gone: then packs may
   * be gone too, and only reading all of it anew tells which.
   */
  async refresh(repository: Repository, signal?: AbortSignal): Promise<boolean> {
    const there = new Set<string>();
    for await (const { name } of repository.backend.list('index', signal)) there.add(name);
    if (!this.#files.isSubsetOf(there)) return false;
    await mapConcurrently(there.difference(this.#files), repository.backend.connections, async (name) => {
      await this.#readFile(repository, name, signal);
      this.#files.add(name);
    });
    return true;
  }

  async #readFile(repository: Repository, name: string, signal: AbortSignal | undefined): Promise<void> {
    const content = decodeIndexFile(await repository.loadFile({ type: 'index', name }, signal));
    for (const pack of content.packs) this.addPack(pack);
    for (const pack of content.packsToDelete) this.#marked.set(pack.id, pack);
  }

  /** The packs that rustic has marked for deletion and no index file counts as in use. */
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

export function plaintextLength(place: { length: number; uncompressedLength: number }): number {
  return place.uncompressedLength > 0 ? place.uncompressedLength : place.length - SEAL_BYTES;
}

const SEAL_BYTES = 32;
/** An index file spends about this much on a blob, compressed: an estimate that sizes the table. */
const BYTES_PER_BLOB = 45;
