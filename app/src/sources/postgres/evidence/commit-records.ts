import type { Lsn } from '../wal/lsn.ts';

/** A commit as the log has it. */
export interface CommitRecord {
  /** Where its record begins. */
  readonly lsn: Lsn;
  /** The lower 32 bits of the transaction's number; undefined for COMMIT PREPARED, whose number lies deeper. */
  readonly xid: number | undefined;
}

/**
 * Finds commits in a stream of WAL that begins at the start of a page. Little endian; the same since PostgreSQL 11 at least:
 *
 *     page of 8192:  magic 2 | flags 2 (1: goes on from the page before, 2: long header) | timeline 4 | address 8 |
 *                    bytes of the record that goes on 4 | padding 4 | in a long header 16 more
 *     record:        length 4 | xid 4 | previous 8 | info 1 | resource manager 1 | padding 2 | CRC 4 | data, then
 *                    padding to 8
 *
 * Sources: xlog_internal.h, xlogrecord.h, xact.h, rmgrlist.h.
 */
export class CommitScan {
  readonly commits: CommitRecord[] = [];
  /** Everything before it was looked at. */
  #next: Lsn;
  /** What is left of the page header, or of the record, that is being passed. */
  #header = Buffer.alloc(0);
  #headerBytes = 0;
  #record = Buffer.alloc(0);
  #recordAt: Lsn = 0n;
  #recordBytes = 0;
  #skip = 0;
  #begun = false;
  #lost = false;

  constructor(pageStart: Lsn) {
    this.#next = pageStart;
  }

  get reached(): Lsn {
    return this.#next;
  }

  /** The rest of a segment was left empty, or something is unlike the layout above: nothing more is found. */
  get lost(): boolean {
    return this.#lost;
  }

  pass(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#lost) {
        this.#next += BigInt(bytes.length - at);
        return;
      }
      const offset = Number(this.#next % PAGE);
      if (offset === 0) {
        this.#header = Buffer.alloc(0);
        this.#headerBytes = SHORT_HEADER;
      }
      const inHeader = this.#headerBytes > 0;
      const wanted = inHeader ? this.#headerBytes : Math.min(this.#wanted(), Number(PAGE) - offset);
      const piece = bytes.subarray(at, at + wanted);
      at += piece.length;
      if (inHeader) this.#passHeader(piece);
      else this.#passContent(piece);
    }
  }

  /** Bytes of the current record, or of what lies before the next one. */
  #wanted(): number {
    if (this.#skip > 0) return this.#skip;
    const known =
      this.#record.length < LENGTH_BYTES ? LENGTH_BYTES : Math.min(this.#recordBytes, RECORD_HEADER);
    return known - this.#record.length;
  }

  #passHeader(piece: Buffer): void {
    this.#header = Buffer.concat([this.#header, piece]);
    this.#headerBytes -= piece.length;
    this.#next += BigInt(piece.length);
    if (this.#headerBytes > 0) return;
    const flags = this.#header.readUInt16LE(2);
    if (this.#header.length === SHORT_HEADER && (flags & LONG) !== 0) {
      this.#headerBytes = LONG_HEADER - SHORT_HEADER;
      return;
    }
    this.#lost = this.#header.readUInt16LE(0) === 0;
    if (!this.#begun) this.#skip = aligned(this.#header.readUInt32LE(16));
    this.#begun = true;
  }

  #passContent(piece: Buffer): void {
    const at = this.#next;
    this.#next += BigInt(piece.length);
    if (this.#skip > 0) {
      this.#skip -= piece.length;
      return;
    }
    if (this.#record.length === 0) this.#recordAt = at;
    this.#record = Buffer.concat([this.#record, piece]);
    if (this.#record.length === LENGTH_BYTES) {
      this.#recordBytes = this.#record.readUInt32LE(0);
      this.#lost = this.#recordBytes < RECORD_HEADER;
    }
    if (this.#record.length < RECORD_HEADER) return;
    this.#recognize();
    this.#skip = aligned(this.#recordBytes) - RECORD_HEADER;
    this.#record = Buffer.alloc(0);
  }

  #recognize(): void {
    const [info, manager] = [this.#record[16] ?? 0, this.#record[17]];
    // After it the segment is left empty.
    if (manager === LOG_MANAGER && (info & 0xf0) === SWITCH) this.#lost = true;
    if (manager !== TRANSACTION_MANAGER) return;
    const operation = info & OPERATION;
    if (operation === COMMIT) this.commits.push({ lsn: this.#recordAt, xid: this.#record.readUInt32LE(4) });
    if (operation === COMMIT_PREPARED) this.commits.push({ lsn: this.#recordAt, xid: undefined });
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

const PAGE = 8192n;
const [SHORT_HEADER, LONG_HEADER] = [24, 40];
const LONG = 2;
const [LENGTH_BYTES, RECORD_HEADER] = [4, 24];
const [LOG_MANAGER, TRANSACTION_MANAGER] = [0, 1];
const SWITCH = 0x40;
const [OPERATION, COMMIT, COMMIT_PREPARED] = [0x70, 0x00, 0x30];
