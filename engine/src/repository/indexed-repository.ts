import { decompress } from '../format/compression.ts';
import { decodeTree } from '../format/tree.ts';
import type { BlobType, Tree } from '../format/types.ts';
import { Failure, isFailure } from '../kernel/failure.ts';
import { sha256Id } from '../kernel/hash.ts';
import { type Id, shortId } from '../kernel/id.ts';
import type { BlobLocation, Index } from './index.ts';
import { PackCache } from './pack-cache.ts';
import type { Repository } from './repository.ts';

/** A repository whose index is loaded: blobs can be read. */
export class IndexedRepository {
  readonly repository: Repository;
  readonly index: Index;
  readonly #treePacks: PackCache;

  constructor(repository: Repository, index: Index) {
    this.repository = repository;
    this.index = index;
    this.#treePacks = new PackCache(repository.backend, TREE_CACHE_BYTES);
  }

  /**
   * A blob's plaintext, authenticated and hashed. When it is stored more than once, the other places are tried before
   * the call fails with `repository.blob-missing` or `repository.damaged`.
   */
  async loadBlob(type: BlobType, id: Id, signal?: AbortSignal): Promise<Buffer> {
    const places = this.index.lookupAll(type, id);
    if (places.length === 0) {
      throw new Failure('repository.blob-missing', `${type} blob ${shortId(id)} is in no pack of the index`, {
        subject: `${this.repository.backend.location}: ${type} blob ${id}`,
        hint: 'holdfast repo check names the files and snapshots that need it',
      });
    }
    let firstFailure: unknown;
    for (const place of places) {
      try {
        return this.#openBlob(id, place, await this.#loadSealed(type, place, signal));
      } catch (error) {
        if (!isFailure(error) || error.code === 'interrupted') throw error;
        firstFailure ??= error;
      }
    }
    throw firstFailure;
  }

  /**
   * `next`: the trees that will be read after this one, soonest first. It is asked when this one has to be fetched, and
   * what they lie in is fetched beside it.
   */
  async loadTree(id: Id, signal?: AbortSignal, next?: () => Iterable<Id>): Promise<Tree> {
    const place = next === undefined ? undefined : this.index.lookup('tree', id);
    const waits = place !== undefined && !this.#treePacks.has(place.pack);
    const loading = this.loadBlob('tree', id, signal);
    if (waits && next !== undefined) this.#treePacks.expect(this.#packsOf(next()), signal);
    return decodeTree(await loading);
  }

  *#packsOf(trees: Iterable<Id>): Iterable<Id> {
    for (const id of trees) {
      const place = this.index.lookup('tree', id);
      if (place !== undefined) yield place.pack;
    }
  }

  async #loadSealed(type: BlobType, place: BlobLocation, signal?: AbortSignal): Promise<Uint8Array> {
    const { pack, offset, length } = place;
    // Trees are read by the thousand, and lie side by side: one read of their pack serves them all.
    if (type === 'tree') return await this.#treePacks.load(pack, offset, length, signal);
    return await this.repository.backend.load({ type: 'pack', name: pack }, { offset, length }, signal);
  }

  #openBlob(id: Id, place: BlobLocation, sealed: Uint8Array): Buffer {
    const stored = this.repository.sealer.open(sealed);
    const plaintext = place.uncompressedLength > 0 ? decompress(stored, place.uncompressedLength) : stored;
    if (sha256Id(plaintext) !== id) {
      throw new Failure(
        'repository.damaged',
        `blob ${shortId(id)} does not have the content that its name says`,
        {
          subject: `${this.repository.backend.location}: pack ${place.pack} at ${place.offset}`,
          hint: 'holdfast repo check --read-data shows what else is damaged',
        },
      );
    }
    return plaintext;
  }
}

const TREE_CACHE_BYTES = 64 * 1024 * 1024;
