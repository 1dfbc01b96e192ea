import type { BlobType, PackedBlob } from '../../format/types.ts';
import type { Index } from '../index.ts';
import type { PackContents } from '../pack-contents.ts';
import type { PackUsage } from './pack-usage.ts';

interface PackState {
  /** The file is there and as long as the index says. */
  isWhole(pack: number): boolean;
  isMarked(pack: number): boolean;
}

/**
 * Which place of each needed blob counts, and by that what is used of each pack. Most blobs have one place. Of several,
 * the one in the pack that wastes least counts: so the packs that an interrupted prune has written win over the ones
 * that they were to replace, and the next prune ends what the last one began.
 */
export class ChosenPlaces {
  readonly #index: Index;
  readonly #contents: PackContents;
  readonly #used: Uint8Array;
  /** For needed blobs with several places, the place that counts. */
  readonly #chosen = new Map<number, string>();

  /** `used` has 1 for each entry of the blob table that is needed. */
  constructor(index: Index, contents: PackContents, used: Uint8Array, state: PackState) {
    this.#index = index;
    this.#contents = contents;
    this.#used = used;
    const rank = remembered((pack) => [
      Number(!state.isWhole(pack)),
      Number(state.isMarked(pack)),
      this.#wasteOf(pack),
      -contents.sizeOf(pack),
      pack,
    ]);
    for (const entry of index.copies().keys()) {
      if (used[entry] !== 1) continue;
      const places = index
        .lookupAll(index.table.typeOf(entry), index.table.idOf(entry))
        .map(({ pack, offset }) => ({ number: index.packNumber(pack), offset }))
        .sort((a, b) => compare(rank(a.number), rank(b.number)) || a.offset - b.offset);
      const [best] = places;
      if (best !== undefined) this.#chosen.set(entry, placeOf(best.number, best.offset));
    }
  }

  /** The blobs of a pack that are needed, and for which this is the place that counts. */
  neededOf(pack: number): PackedBlob[] {
    return this.#contents.blobsOf(pack).filter((blob) => this.#fate(pack, blob) === 'used');
  }

  usageOf(pack: number): Pick<PackUsage, 'type' | 'used' | 'unused' | 'duplicate' | 'uncompressed'> {
    const amounts = {
      used: { blobs: 0, bytes: 0 },
      unused: { blobs: 0, bytes: 0 },
      duplicate: { blobs: 0, bytes: 0 },
    };
    const types = new Set<BlobType>();
    let uncompressed = false;
    for (const blob of this.#contents.blobsOf(pack)) {
      types.add(blob.type);
      uncompressed ||= blob.uncompressedLength === 0;
      const amount = amounts[this.#fate(pack, blob)];
      amount.blobs += 1;
      amount.bytes += blob.length;
    }
    const [type = 'data'] = types;
    return { type: types.size > 1 ? 'mixed' : type, uncompressed, ...amounts };
  }

  #fate(pack: number, blob: PackedBlob): 'used' | 'unused' | 'duplicate' {
    const entry = this.#index.table.findId(blob.type, blob.id);
    if (this.#used[entry] !== 1) return 'unused';
    const chosen = this.#chosen.get(entry);
    return chosen === undefined || chosen === placeOf(pack, blob.offset) ? 'used' : 'duplicate';
  }

  /** The share of a pack that nobody needs, whatever is chosen. */
  #wasteOf(pack: number): number {
    const blobs = this.#contents.blobsOf(pack);
    const unused = blobs.filter(({ type, id }) => this.#used[this.#index.table.findId(type, id)] !== 1);
    return unused.reduce((sum, { length }) => sum + length, 0) / this.#contents.sizeOf(pack);
  }
}

/** Asked for each copy of each blob, while an answer takes as long as its pack has blobs. */
function remembered(rank: (pack: number) => readonly number[]): (pack: number) => readonly number[] {
  const known = new Map<number, readonly number[]>();
  return (pack) => {
    const before = known.get(pack);
    if (before !== undefined) return before;
    const answer = rank(pack);
    known.set(pack, answer);
    return answer;
  };
}

function placeOf(pack: number, offset: number): string {
  return `${pack}@${offset}`;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) {
    const difference = value - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
