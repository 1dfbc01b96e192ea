import type { BlobType } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';
import { loadReadableIndex } from '../index-load/load-index.ts';
import { IndexedRepository } from '../indexed-repository.ts';
import type { Repository } from '../repository.ts';
import { fetchBlobs, loadAlone } from './blob-fetch.ts';
import { damageOf } from './damage.ts';

export interface WantedBlob {
  readonly type: BlobType;
  readonly id: Id;
}

/** Somewhere else that may have what a repository has lost. */
export interface BlobSource {
  /** For people: an address, a directory. */
  readonly name: string;
  /** Those of the wanted blobs that it should be able to give. */
  find(wanted: readonly WantedBlob[], signal: AbortSignal): Promise<readonly WantedBlob[]>;
  /** A blob's plaintext, whose hash is its id; undefined where it is not to be had after all. */
  load(blob: WantedBlob, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** Many of those that were found, each handed over when it is there, in the order that costs least. */
  fetch(blobs: readonly WantedBlob[], take: TakeBlob, signal: AbortSignal): Promise<void>;
}

/** Takes a blob's plaintext; undefined where it is not to be had after all. */
export type TakeBlob = (blob: WantedBlob, content: Uint8Array | undefined) => Promise<void>;

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
  return {
    name,
    find: async (wanted) => wanted.filter(({ type, id }) => indexed.index.has(type, id)),
    load: (blob, signal) => loadAlone(indexed, blob, signal),
    fetch: (blobs, take, signal) => fetchBlobs(indexed, blobs, take, signal),
  };
}
