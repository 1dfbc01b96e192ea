import type { BlobType } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';
import { loadReadableIndex } from '../index-load/load-index.ts';
import { IndexedRepository } from '../indexed-repository.ts';
import type { Repository } from '../repository.ts';
import { damageOf } from './damage.ts';

export interface WantedBlob {
  readonly type: BlobType;
  readonly id: Id;
}

/** Somewhere else that may have what a repository has lost. */
export interface BlobSource {
  /** For people: an address, a directory. */
  readonly name: string;
  /** Those of the wanted blobs that it should be able to give, in the order in which they are best fetched. */
  find(wanted: readonly WantedBlob[], signal: AbortSignal): Promise<readonly WantedBlob[]>;
  /** A blob's plaintext, whose hash is its id; undefined where it is not to be had after all. */
  load(blob: WantedBlob, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** How many blobs to fetch at once. */
  readonly connections: number;
}

/** Another repository with whatever part of its index can be read: it may be damaged itself. */
export async function loadRepositorySource(
  repository: Repository,
  signal?: AbortSignal,
): Promise<BlobSource> {
  const index = await loadReadableIndex(repository, (_, failure) => void damageOf(failure), signal);
  return repositorySource(new IndexedRepository(repository, index), repository.backend.location);
}

/** Another repository, of any key and at any place: the same content has the same id everywhere. */
export function repositorySource(indexed: IndexedRepository, name: string): BlobSource {
  const { repository, index } = indexed;
  return {
    name,
    connections: repository.backend.connections,
    async find(wanted) {
      const placed = wanted.flatMap((blob) => {
        const place = index.lookup(blob.type, blob.id);
        return place === undefined ? [] : [{ blob, place }];
      });
      // Neighbours in a pack one after the other: whatever reads ahead there has read them already.
      placed.sort(
        (a, b) =>
          (a.place.pack < b.place.pack ? -1 : Number(a.place.pack > b.place.pack)) ||
          a.place.offset - b.place.offset,
      );
      return placed.map(({ blob }) => blob);
    },
    async load({ type, id }, signal) {
      if (!index.has(type, id)) return undefined;
      try {
        return await indexed.loadBlob(type, id, signal);
      } catch (error) {
        damageOf(error);
        return undefined;
      }
    },
  };
}
