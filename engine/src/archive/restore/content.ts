import { readSync } from 'node:fs';
import { sha256 } from '../../kernel/hash.ts';
import type { BlobTable } from '../../repository/blob-table.ts';
import { plaintextLength } from '../../repository/index.ts';
import type { Ledger } from './ledger.ts';

/** Compares files with what the snapshot says of their content, blob by blob. */
export class ContentReader {
  readonly #ledger: Ledger;
  readonly #table: BlobTable;
  #buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER);

  constructor(ledger: Ledger, table: BlobTable) {
    this.#ledger = ledger;
    this.#table = table;
  }

  /** The positions of the blobs that an open file does not hold where they belong. `stopped` ends it early. */
  differing(record: number, descriptor: number, stopped: () => boolean): number[] {
    const positions: number[] = [];
    let offset = 0;
    for (let position = 0; position < this.#ledger.blobCount(record) && !stopped(); position += 1) {
      const entry = this.#ledger.blobAt(record, position);
      const length = blobLength(this.#table, entry);
      const read = this.#read(descriptor, offset, length);
      if (read === undefined || !sha256(read).equals(this.#table.idBytes(entry))) positions.push(position);
      offset += length;
    }
    return positions;
  }

  /** Exactly `length` bytes, or undefined where the file ends before. */
  #read(descriptor: number, offset: number, length: number): Buffer | undefined {
    if (this.#buffer.length < length) this.#buffer = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(descriptor, this.#buffer, filled, length - filled, offset + filled);
      if (count === 0) return undefined;
      filled += count;
    }
    return this.#buffer.subarray(0, length);
  }
}

/** Length of a blob's plaintext, of an entry that has a place. */
export function blobLength(table: BlobTable, entry: number): number {
  return plaintextLength({
    length: table.lengthOf(entry),
    uncompressedLength: table.uncompressedLengthOf(entry),
  });
}

const FIRST_BUFFER = 1024 * 1024;
