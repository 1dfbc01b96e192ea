import { createPageSums } from '@holdfast/engine';
import type { Lsn } from './lsn.ts';

/*
 * WAL as records, as far as recovery decides by them where to stop. A page of 8 KiB begins with a header; a record begins
 * at a multiple of 8, and goes on behind the next page's header when it does not fit. Little endian.
 *
 *     page     magic 2 · flags 2 · timeline 4 · address 8 · bytes left of a record from before 4 · padding 4
 *              (flag 2: 16 more, at the beginning of a segment)
 *     record   length 4 · xid 4 · previous record's LSN 8 · info 1 · resource manager 1 · padding 2 · CRC-32C 4
 *              then headers of its parts, each begins with an id; the main data, announced by 255 or 254, is last
 *
 * Source: PostgreSQL, src/include/access/{xlog_internal,xlogrecord,xact}.h; the same in 12 to 18.
 */
const PAGE_BYTES = 8192;
const SHORT_HEADER = 24;
const LONG_HEADER = 40;
const RECORD_HEADER = 24;
const CRC_AT = 20;

const IS_CONTINUED = 0x01;
const HAS_LONG_HEADER = 0x02;
/** The record that was begun before was given up when a server crashed. */
const OVERWRITES = 0x08;

/** Where recovery can be told to stop. */
export interface WalMark {
  readonly kind: 'commit' | 'abort' | 'named';
  /** Of the record's first byte. */
  readonly lsn: Lsn;
  /** The first byte behind it. */
  readonly end: Lsn;
  /** 0 where there was none. */
  readonly xid: number;
  /** By the server's clock, microseconds since the epoch. */
  readonly time: bigint;
  /** Of a point that pg_create_restore_point made. */
  readonly name?: string;
}

/** Reads WAL that is handed over in whole pages, and ends by itself where the records end, as recovery does. */
export class WalRecordReader {
  readonly #sums = createPageSums();
  readonly #segmentSize: bigint;
  #address: Lsn;
  #record: { readonly lsn: Lsn; readonly length: number; pieces: Buffer[] } | undefined;
  /** Bytes that are still to come of the record, or of one that began before us. */
  #left = 0;
  #last: Lsn | undefined;
  #end: Lsn | undefined;
  /** After a switch the rest of the segment says nothing. */
  #resumesAt: Lsn | undefined;
  #ended = false;

  /** `start`: where the first page begins. */
  constructor(start: Lsn, segmentSize: number) {
    this.#address = start;
    this.#segmentSize = BigInt(segmentSize);
  }

  /** The first byte of the last whole record, and the first one behind it; undefined before there was one. */
  get last(): { readonly lsn: Lsn; readonly end: Lsn } | undefined {
    return this.#last === undefined || this.#end === undefined
      ? undefined
      : { lsn: this.#last, end: this.#end };
  }

  /** Nothing that follows can be replayed. */
  get ended(): boolean {
    return this.#ended;
  }

  *read(pages: Buffer): Generator<WalMark> {
    for (let at = 0; at + PAGE_BYTES <= pages.length && !this.#ended; at += PAGE_BYTES) {
      yield* this.#page(pages.subarray(at, at + PAGE_BYTES));
      this.#address += BigInt(PAGE_BYTES);
    }
  }

  *#page(page: Buffer): Generator<WalMark> {
    if (this.#resumesAt !== undefined && this.#address < this.#resumesAt) return;
    this.#resumesAt = undefined;
    let at = this.#begin(page);
    while (at < PAGE_BYTES && !this.#ended) {
      if (this.#left === 0 && !this.#beginRecord(page, at)) return;
      const taken = Math.min(this.#left, PAGE_BYTES - at);
      this.#record?.pieces.push(page.subarray(at, at + taken));
      this.#left -= taken;
      at += taken;
      if (this.#left > 0) return;
      yield* this.#finishRecord(this.#address + BigInt(at));
      if (this.#resumesAt !== undefined) return;
      at = aligned(at);
    }
  }

  /** Answers where the page's content begins; ends when it is no page of this place. */
  #begin(page: Buffer): number {
    const flags = page.readUInt16LE(2);
    const isHere = page.readUInt16LE(0) !== 0 && page.readBigUInt64LE(8) === this.#address;
    if (flags & OVERWRITES) this.#giveUp();
    const left = flags & IS_CONTINUED ? page.readUInt32LE(16) : 0;
    const fromBefore = this.#record === undefined && this.#left === 0 && this.#last === undefined;
    if (fromBefore) this.#left = left;
    this.#ended = !isHere || this.#left !== left;
    return flags & HAS_LONG_HEADER ? LONG_HEADER : SHORT_HEADER;
  }

  #giveUp(): void {
    this.#record = undefined;
    this.#left = 0;
  }

  #beginRecord(page: Buffer, at: number): boolean {
    const length = page.readUInt32LE(at);
    this.#ended = length < RECORD_HEADER;
    if (this.#ended) return false;
    this.#record = { lsn: this.#address + BigInt(at), length, pieces: [] };
    this.#left = length;
    return true;
  }

  *#finishRecord(end: Lsn): Generator<WalMark> {
    const record = this.#record;
    this.#record = undefined;
    // One that began before us, and of which we know nothing.
    if (record === undefined) return;
    const [first = Buffer.alloc(0)] = record.pieces;
    const bytes = first.length === record.length ? first : Buffer.concat(record.pieces);
    const previous = bytes.readBigUInt64LE(8);
    if ((this.#last !== undefined && previous !== this.#last) || !this.#isWhole(bytes)) {
      this.#ended = true;
      return;
    }
    this.#last = record.lsn;
    this.#end = end;
    if (bytes[17] === XLOG && ((bytes[16] ?? 0) & 0xf0) === XLOG_SWITCH) {
      this.#resumesAt = ((end - 1n) / this.#segmentSize + 1n) * this.#segmentSize;
    }
    const mark = markOf(bytes);
    if (mark !== undefined) yield { ...mark, lsn: record.lsn, end };
  }

  /** The sum is over what follows the header, then over the header in front of the sum itself. */
  #isWhole(record: Buffer): boolean {
    this.#sums.begin(undefined);
    this.#sums.add(record.subarray(RECORD_HEADER));
    this.#sums.add(record.subarray(0, CRC_AT));
    return this.#sums.end().crc32c === record.readUInt32LE(CRC_AT);
  }
}

/** Resource managers, and the kinds of their records that matter (rmgrlist.h, pg_control.h, xact.h). */
const XLOG = 0;
const TRANSACTION = 1;
const XLOG_SWITCH = 0x40;
const RESTORE_POINT = 0x70;
const ENDINGS: Readonly<Record<number, 'commit' | 'abort'>> = {
  0: 'commit',
  32: 'abort',
  48: 'commit', // of a prepared transaction
  64: 'abort',
};

function markOf(record: Buffer): Omit<WalMark, 'lsn' | 'end'> | undefined {
  const [info = 0, manager] = record.subarray(16, 18);
  const kind = manager === TRANSACTION ? ENDINGS[info & 0x70] : undefined;
  const isNamed = manager === XLOG && (info & 0xf0) === RESTORE_POINT;
  if (kind === undefined && !isNamed) return undefined;
  const data = mainData(record);
  if (data === undefined || data.length < 8) return undefined;
  const time = data.readBigInt64LE(0) + EPOCH;
  if (kind !== undefined) return { kind, time, xid: record.readUInt32LE(4) };
  const name = data.subarray(8);
  const end = name.indexOf(0);
  return { kind: 'named', time, xid: 0, name: name.subarray(0, end === -1 ? name.length : end).toString() };
}

/** Undefined in a record that has parts besides it. */
function mainData(record: Buffer): Buffer | undefined {
  let at = RECORD_HEADER;
  for (;;) {
    const id = record[at];
    if (id === LONG_DATA) return lastOf(record, record.readUInt32LE(at + 1));
    if (id === SHORT_DATA) return lastOf(record, record[at + 1] ?? 0);
    const skipped = SKIPPED[id ?? -1];
    if (skipped === undefined) return undefined;
    at += skipped;
  }
}

function lastOf(record: Buffer, bytes: number): Buffer {
  return record.subarray(Math.max(RECORD_HEADER, record.length - bytes));
}

const SHORT_DATA = 255;
const LONG_DATA = 254;
/** Bytes of the replication origin's part, and of that with the top-level transaction. */
const SKIPPED: Readonly<Record<number, number>> = { 253: 3, 252: 5 };

/** PostgreSQL counts from 2000-01-01, in microseconds. */
const EPOCH = 946_684_800_000_000n;

function aligned(at: number): number {
  return Math.ceil(at / 8) * 8;
}
