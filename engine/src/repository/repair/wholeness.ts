import type { BlobType } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';
import type { Index } from '../index.ts';

/** Which of the places that an index names are known to be bad. A blob is whole while one of its places is not. */
export class Wholeness {
  readonly #index: Index;
  /** Offsets by pack. */
  readonly #bad = new Map<Id, Set<number>>();

  constructor(index: Index) {
    this.#index = index;
  }

  spoil(pack: Id, offset: number): void {
    const offsets = this.#bad.get(pack) ?? new Set<number>();
    this.#bad.set(pack, offsets.add(offset));
  }

  isBad(pack: Id, offset: number): boolean {
    return this.#bad.get(pack)?.has(offset) ?? false;
  }

  isWhole(type: BlobType, id: Id): boolean {
    // Hardly anything is damaged mostly: one lookup without further places will do.
    const first = this.#index.lookup(type, id);
    if (first === undefined) return false;
    if (!this.isBad(first.pack, first.offset)) return true;
    return this.#index.lookupAll(type, id).some(({ pack, offset }) => !this.isBad(pack, offset));
  }
}
