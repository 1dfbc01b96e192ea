import type { BytePath } from './byte-path.ts';
import { type DirectoryRecord, encodeRecord } from './scan-cache.ts';

/** Gathers a worker's records for the next scan cache and hands them over in large pieces. */
export class RecordWriter {
  readonly #deliver: (bytes: Uint8Array<ArrayBuffer>) => void;
  #records: Buffer[] = [];
  #length = 0;

  constructor(deliver: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#deliver = deliver;
  }

  add(path: BytePath, record: DirectoryRecord): void {
    const bytes = encodeRecord(path, record);
    this.#records.push(bytes);
    this.#length += bytes.length;
    if (this.#length >= PIECE_BYTES) this.flush();
  }

  flush(): void {
    if (this.#length === 0) return;
    const piece = new Uint8Array(this.#length);
    let at = 0;
    for (const record of this.#records) {
      piece.set(record, at);
      at += record.length;
    }
    this.#records = [];
    this.#length = 0;
    this.#deliver(piece);
  }
}

const PIECE_BYTES = 1024 * 1024;
