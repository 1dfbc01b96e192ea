import { USE_WORDS } from './protocol.ts';

/** Where blobs belong: see `Uses`. Grows; a million uses take 16 MB. */
export class UseList {
  #words = new Uint32Array(FIRST_WORDS);
  #length = 0;

  /** `entry` of the blob table, `record` of the ledger, `offset` in the file. */
  add(entry: number, record: number, offset: number): void {
    if (this.#length + USE_WORDS > this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[this.#length] = entry;
    this.#words[this.#length + 1] = record;
    this.#words[this.#length + 2] = offset % 2 ** 32;
    this.#words[this.#length + 3] = Math.floor(offset / 2 ** 32);
    this.#length += USE_WORDS;
  }

  get words(): Uint32Array {
    return this.#words.subarray(0, this.#length);
  }
}

/** Many packs have a list of their own. */
const FIRST_WORDS = 64 * USE_WORDS;
