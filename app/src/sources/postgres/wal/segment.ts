import { Failure } from '@holdfast/engine';

/**
 * PostgreSQL's WAL as files. An LSN is a byte position in the whole WAL (64 bits, a bigint here); the WAL is cut into
 * segments of one size (a power of two from 1 MiB to 1 GiB, 16 MiB unless chosen at initdb).
 *
 *     00000001 000000A3 000000FE            timeline, LSN ÷ 4 GiB, segment within these 4 GiB; 8 hex digits each
 *     00000001000000A3000000FE.partial      the same while it is not full, or where its timeline ended
 *     00000002.history                      where timeline 2 and those before it began
 *
 * Source: PostgreSQL, src/include/access/xlog_internal.h.
 */
export interface WalSegment {
  readonly timeline: number;
  /** The segment's first byte: LSN ÷ segment size. */
  readonly number: bigint;
}

export type WalFile =
  | ({ readonly kind: 'segment' | 'partial' } & WalSegment)
  | { readonly kind: 'history'; readonly timeline: number };

const SEGMENT = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(\.partial)?$/;
const HISTORY = /^([0-9A-F]{8})\.history$/;
const BYTES_PER_LOG = 1n << 32n;

/** The size comes from a server or a repository; one that no server can have is damage or a bug. */
export function assertSegmentSize(size: number): void {
  if (Number.isInteger(Math.log2(size)) && size >= 1 << 20 && size <= 1 << 30) return;
  throw new Failure('internal', `${size} bytes is no size that a WAL segment can have`);
}

/** What a file of this name is; undefined for a name that PostgreSQL would not give (backup labels, strangers). */
export function parseWalName(name: string, segmentSize: number): WalFile | undefined {
  const history = HISTORY.exec(name);
  if (history !== null) return { kind: 'history', timeline: hex(history[1]) };
  const parts = SEGMENT.exec(name);
  if (parts === null) return undefined;
  const perLog = BYTES_PER_LOG / BigInt(segmentSize);
  const low = BigInt(hex(parts[3]));
  const timeline = hex(parts[1]);
  if (low >= perLog || timeline === 0) return undefined;
  const number = BigInt(hex(parts[2])) * perLog + low;
  return { kind: parts[4] === undefined ? 'segment' : 'partial', timeline, number };
}

export function segmentName({ timeline, number }: WalSegment, segmentSize: number): string {
  const perLog = BYTES_PER_LOG / BigInt(segmentSize);
  return digits(timeline) + digits(number / perLog) + digits(number % perLog);
}

export function historyName(timeline: number): string {
  return `${digits(timeline)}.history`;
}

/** The number of the segment that holds the byte at `lsn`. */
export function segmentNumber(lsn: bigint, segmentSize: number): bigint {
  return lsn / BigInt(segmentSize);
}

export function startOfSegment(number: bigint, segmentSize: number): bigint {
  return number * BigInt(segmentSize);
}

/** Where the segment begins that holds the byte at `lsn`. */
export function segmentStart(lsn: bigint, segmentSize: number): bigint {
  return lsn - (lsn % BigInt(segmentSize));
}

/** Bytes of `lsn` within its segment. */
export function segmentOffset(lsn: bigint, segmentSize: number): number {
  return Number(lsn % BigInt(segmentSize));
}

function hex(text: string | undefined): number {
  return Number.parseInt(text ?? '', 16);
}

function digits(value: number | bigint): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}
