import type { ByteRange } from '../../backend/backend.ts';
import type { BlobTable } from '../../repository/blob-table.ts';
import { USE_WORDS, type Uses } from './protocol.ts';
import { UseList } from './use-list.ts';

/** What a plan asks of the blob table. Packs are numbers there. */
export type BlobPlaces = Pick<BlobTable, 'size' | 'typeOf' | 'packOf' | 'offsetOf' | 'lengthOf'>;

/**
 * Which packs are needed for which blobs. A pack is complete when a use of each of its data blobs is known: then
 * nothing is to be gained by waiting, and writing begins while the trees are still being walked. What was backed up
 * together lies together, so most packs of a full restore are complete soon after their first use, and few large files
 * are unfinished at a time.
 */
export class PackPlan {
  readonly #places: BlobPlaces;
  /** By pack, in the order in which files first need them. */
  readonly #uses = new Map<number, UseList>();
  readonly #complete: number[] = [];
  /** By pack: how many of its data blobs nothing is known to use. */
  readonly #unused: number[] = [];
  /** By entry of the blob table. */
  readonly #used: Uint8Array;

  constructor(places: BlobPlaces) {
    this.#places = places;
    this.#used = new Uint8Array(places.size);
    for (let entry = 0; entry < places.size; entry += 1) {
      const pack = places.packOf(entry);
      if (pack >= 0 && places.typeOf(entry) === 'data') this.#unused[pack] = (this.#unused[pack] ?? 0) + 1;
    }
  }

  /** `entry` of the blob table, which has a place; `record` of the ledger; `offset` in the file. */
  add(entry: number, record: number, offset: number): void {
    const pack = this.#places.packOf(entry);
    let uses = this.#uses.get(pack);
    if (uses === undefined) {
      uses = new UseList();
      this.#uses.set(pack, uses);
    }
    uses.add(entry, record, offset);
    if (this.#used[entry] !== 0) return;
    this.#used[entry] = 1;
    const unused = (this.#unused[pack] ?? 0) - 1;
    this.#unused[pack] = unused;
    if (unused === 0) this.#complete.push(pack);
  }

  /** A complete pack, once; a later use of one of its blobs, which is a duplicate, has it needed again. */
  takeComplete(): PackUses | undefined {
    const pack = this.#complete.shift();
    return pack === undefined ? undefined : this.#take(pack);
  }

  /** Any pack that is still needed. */
  takeAny(): PackUses | undefined {
    const [pack] = this.#uses.keys();
    return pack === undefined ? undefined : this.#take(pack);
  }

  #take(pack: number): PackUses | undefined {
    const words = this.#uses.get(pack)?.words;
    this.#uses.delete(pack);
    return words === undefined ? undefined : { pack, uses: inPackOrder(words, this.#places) };
  }
}

export interface PackUses {
  readonly pack: number;
  /** In the order of the pack, those of one blob side by side. */
  readonly uses: Uses;
}

function inPackOrder(words: Uint32Array, places: BlobPlaces): Uses {
  const order = Uint32Array.from({ length: words.length / USE_WORDS }, (_, use) => use);
  const entryOf = (use: number) => words[use * USE_WORDS] as number;
  const offsetOf = (use: number) => places.offsetOf(entryOf(use));
  // Entry as well: two blobs may be said to lie at one offset by an index that lies.
  order.sort((a, b) => offsetOf(a) - offsetOf(b) || entryOf(a) - entryOf(b) || a - b);
  const uses: Uses = new Uint32Array(words.length);
  order.forEach((use, index) => {
    uses.set(words.subarray(use * USE_WORDS, (use + 1) * USE_WORDS), index * USE_WORDS);
  });
  return uses;
}

/** What to read of a pack for `uses`, which are in its order: as few ranges as small gaps allow. */
export function rangesOf(uses: Uses, places: Pick<BlobPlaces, 'offsetOf' | 'lengthOf'>): ByteRange[] {
  const ranges: { offset: number; length: number }[] = [];
  for (let at = 0; at < uses.length; at += USE_WORDS) {
    const entry = uses[at] as number;
    const [offset, length] = [places.offsetOf(entry), places.lengthOf(entry)];
    const last = ranges.at(-1);
    if (last !== undefined && offset - (last.offset + last.length) <= GAP_BYTES) {
      last.length = Math.max(last.length, offset + length - last.offset);
    } else ranges.push({ offset, length });
  }
  return ranges;
}

/** Reading so much too much is cheaper than one more request, on a disk and on a network. */
const GAP_BYTES = 256 * 1024;
