import { COMPRESSED_ENTRY_LENGTH, PLAIN_ENTRY_LENGTH, TRAILER_LENGTH } from '../format/pack.ts';
import { SEAL_OVERHEAD } from '../format/sealing.ts';
import type { PackedBlob } from '../format/types.ts';
import type { BlobTable } from './blob-table.ts';
import type { Index } from './index.ts';

/**
 * The index turned round: which blobs lie in a pack. The blob table's entries sorted by pack, as numbers in shared
 * memory, so that ten million blobs cost 40 MB more and every thread can look.
 */
export class PackContents {
  readonly shared: SharedPackContents;
  readonly #table: BlobTable;
  /** `starts[p]` is where the entries of pack p begin; one more than there are packs. */
  readonly #starts: Uint32Array;
  readonly #entries: Uint32Array;

  constructor(table: BlobTable, shared: SharedPackContents) {
    this.shared = shared;
    this.#table = table;
    this.#starts = new Uint32Array(shared.starts);
    this.#entries = new Uint32Array(shared.entries);
  }

  static of(index: Index): PackContents {
    const { table } = index;
    const packs = index.packs.length;
    const starts = new Uint32Array(new SharedArrayBuffer((packs + 1) * 4));
    const size = table.size;
    for (let entry = 0; entry < size; entry += 1) {
      const pack = table.packOf(entry);
      if (pack >= 0) starts[pack + 1] = (starts[pack + 1] ?? 0) + 1;
    }
    for (let pack = 0; pack < packs; pack += 1)
      starts[pack + 1] = (starts[pack + 1] ?? 0) + (starts[pack] ?? 0);

    const entries = new Uint32Array(new SharedArrayBuffer((starts[packs] ?? 0) * 4));
    const next = starts.slice(0, packs);
    for (let entry = 0; entry < size; entry += 1) {
      const pack = table.packOf(entry);
      if (pack < 0) continue;
      const at = next[pack] ?? 0;
      entries[at] = entry;
      next[pack] = at + 1;
    }
    const shared = { starts: starts.buffer, entries: entries.buffer, copies: copiesByPack(index) };
    return new PackContents(table, shared);
  }

  /** What the index says lies in a pack, by offset. */
  blobsOf(pack: number): PackedBlob[] {
    const blobs: PackedBlob[] = [...this.entriesOf(pack)].map((entry) => ({
      type: this.#table.typeOf(entry),
      id: this.#table.idOf(entry),
      offset: this.#table.offsetOf(entry),
      length: this.#table.lengthOf(entry),
      uncompressedLength: this.#table.uncompressedLengthOf(entry),
    }));
    return [...blobs, ...this.copiesIn(pack)].sort((a, b) => a.offset - b.offset);
  }

  /** The entries whose first place is in this pack. */
  entriesOf(pack: number): Uint32Array {
    return this.#entries.subarray(this.#starts[pack], this.#starts[pack + 1]);
  }

  /** The blobs in this pack that have their first place elsewhere, or that it holds once more. */
  copiesIn(pack: number): readonly PackedBlob[] {
    return this.shared.copies.get(pack) ?? [];
  }

  /** How long the pack's file must be, in bytes. */
  sizeOf(pack: number): number {
    let size = SEAL_OVERHEAD + TRAILER_LENGTH;
    const add = (length: number, uncompressedLength: number) => {
      size += length + (uncompressedLength === 0 ? PLAIN_ENTRY_LENGTH : COMPRESSED_ENTRY_LENGTH);
    };
    for (const entry of this.entriesOf(pack)) {
      add(this.#table.lengthOf(entry), this.#table.uncompressedLengthOf(entry));
    }
    for (const blob of this.copiesIn(pack)) add(blob.length, blob.uncompressedLength);
    return size;
  }
}

export interface SharedPackContents {
  readonly starts: SharedArrayBuffer;
  readonly entries: SharedArrayBuffer;
  /** By the number of the pack. */
  readonly copies: ReadonlyMap<number, readonly PackedBlob[]>;
}

function copiesByPack(index: Index): Map<number, PackedBlob[]> {
  const copies = new Map<number, PackedBlob[]>();
  for (const [entry, places] of index.copies()) {
    const type = index.table.typeOf(entry);
    const id = index.table.idOf(entry);
    for (const { pack, offset, length, uncompressedLength } of places) {
      const number = index.packNumber(pack);
      const blobs = copies.get(number) ?? [];
      blobs.push({ type, id, offset, length, uncompressedLength });
      copies.set(number, blobs);
    }
  }
  return copies;
}
