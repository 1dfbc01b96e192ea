import type { ByteRange } from '../../backend/backend.ts';
import type { BlobTable } from '../../repository/blob-table.ts';
import { USE_WORDS, type Uses } from './protocol.ts';

/** What a plan asks of the blob table. Packs are numbers there. */
export type BlobPlaces = Pick<BlobTable, 'packOf' | 'offsetOf' | 'lengthOf'>;

/**
 * Which packs are needed for which blobs, each pack once. In the order in which files first need them: what was backed
 * up together lies together, so few large files are unfinished at a time.
 */
export class PackPlan {
  readonly packs: readonly number[];
  readonly #uses: Uint32Array;
  readonly #places: BlobPlaces;
  /** Numbers of uses, those of one pack side by side. */
  readonly #order: Uint32Array;
  readonly #spans = new Map<number, { start: number; end: number }>();

  /** `uses`: four numbers each, as in the protocol; every blob has a place. */
  constructor(uses: Uint32Array, places: BlobPlaces) {
    this.#uses = uses;
    this.#places = places;
    const count = uses.length / USE_WORDS;
    this.#order = new Uint32Array(count);
    const spans = this.#spans;
    for (let use = 0; use < count; use += 1) {
      const pack = this.#packOf(use);
      const span = spans.get(pack);
      if (span === undefined) spans.set(pack, { start: 0, end: 1 });
      else span.end += 1;
    }
    let next = 0;
    for (const span of spans.values()) {
      const length = span.end;
      span.start = next;
      span.end = next;
      next += length;
    }
    for (let use = 0; use < count; use += 1) {
      const span = spans.get(this.#packOf(use)) as { start: number; end: number };
      this.#order[span.end] = use;
      span.end += 1;
    }
    this.packs = [...spans.keys()];
  }

  /** A pack's uses in the order of the pack, those of one blob side by side. */
  usesOf(pack: number): Uses {
    const { start, end } = this.#spans.get(pack) ?? { start: 0, end: 0 };
    const uses = this.#uses;
    const offsetOf = (use: number) => this.#places.offsetOf(uses[use * USE_WORDS] as number);
    // Entry as well: two blobs may be said to lie at one offset by an index that lies.
    const entryOf = (use: number) => uses[use * USE_WORDS] as number;
    const sorted = this.#order
      .slice(start, end)
      .sort((a, b) => offsetOf(a) - offsetOf(b) || entryOf(a) - entryOf(b) || a - b);
    const found: Uses = new Uint32Array(sorted.length * USE_WORDS);
    sorted.forEach((use, index) => {
      found.set(uses.subarray(use * USE_WORDS, (use + 1) * USE_WORDS), index * USE_WORDS);
    });
    return found;
  }

  #packOf(use: number): number {
    return this.#places.packOf(this.#uses[use * USE_WORDS] as number);
  }
}

/** What to read of a pack for `uses`, which are in its order: as few ranges as small gaps allow. */
export function rangesOf(uses: Uses, places: BlobPlaces): ByteRange[] {
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
