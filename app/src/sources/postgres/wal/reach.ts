import type { Lsn } from './lsn.ts';

/**
 * How far a partial segment is filled, at least: the beginning of the last page that was begun. Each page of WAL says
 * where it belongs (XLogPageHeaderData: magic 2, flags 2, timeline 4, address 8; little endian on every machine that
 * Holdfast runs on), and what was there before, zeros or another segment, says something else.
 */
export class WalReach {
  #next: Lsn;
  #reached: Lsn;
  #ended = false;

  constructor(segmentStart: Lsn) {
    this.#next = segmentStart;
    this.#reached = segmentStart;
  }

  get reached(): Lsn {
    return this.#reached;
  }

  /** Looks at what follows: whole pages. */
  pass(pages: Buffer): void {
    for (let at = 0; at + PAGE_BYTES <= pages.length && !this.#ended; at += PAGE_BYTES) {
      this.#ended = pages.readUInt16LE(at) === 0 || pages.readBigUInt64LE(at + 8) !== this.#next;
      if (!this.#ended) this.#reached = this.#next;
      this.#next += BigInt(PAGE_BYTES);
    }
  }
}

/** wal_block_size, which only a server built from changed source has different. */
const PAGE_BYTES = 8192;
