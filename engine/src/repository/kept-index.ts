import { refreshIndex } from './index-load/load-index.ts';
import type { IndexedRepository } from './indexed-repository.ts';
import type { Repository } from './repository.ts';

/**
 * An index that stays in memory between pieces of work, for whoever writes little and often: reading it anew each time
 * would cost as much as the repository is large. Only what was added meanwhile is read; when a file that was read is not
 * there any more (a prune), all of it is.
 *
 * One piece of work at a time may write with it: what one has claimed and not yet stored would be there for the other.
 */
export class KeptIndex {
  readonly #repository: Repository;
  #indexed: IndexedRepository | undefined;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /** The index as the repository has it now, by its list of index files. */
  async current(signal?: AbortSignal): Promise<IndexedRepository> {
    const kept = this.#indexed;
    if (kept !== undefined && (await refreshIndex(kept.index, this.#repository, signal))) return kept;
    this.drop();
    const loaded = await this.#repository.loadIndex(signal);
    this.#indexed = loaded;
    return loaded;
  }

  /** After work that failed: what it had claimed was never stored, and must not be taken for stored. */
  drop(): void {
    this.#indexed = undefined;
  }
}
