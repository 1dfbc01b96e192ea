import type { IndexedRepository } from './indexed-repository.ts';
import type { Repository } from './repository.ts';

/**
 * Keeps the index from one span of a writer to the next, for whoever has many: each begins with what index files came
 * since, and with all of them when one is gone. Never used by two spans at once.
 */
export class IndexMemory {
  #last: IndexedRepository | undefined;

  /** An index that is as new as the repository was during the call. */
  async load(repository: Repository, signal?: AbortSignal): Promise<IndexedRepository> {
    const last = this.#last;
    // Until the span has ended well, it is not known whether all that it claims came to be.
    this.#last = undefined;
    if (last?.repository === repository && (await last.index.update(repository, signal))) return last;
    return await repository.loadIndex(signal);
  }

  /** After a span that ended well: all that was claimed in its table is stored and indexed. */
  keep(indexed: IndexedRepository): void {
    this.#last = indexed;
  }
}
