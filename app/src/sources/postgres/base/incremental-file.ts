import { Failure } from '@holdfast/engine';
import type { ByteSource } from './byte-source.ts';
import { BLOCKS_PER_SEGMENT, isRelationFile } from './relation-file.ts';

/** Bytes of a page; a server that was built with others is not asked for incremental bases. */
export const PAGE = 8192;
const PREFIX = 'INCREMENTAL.';

/** The relation file that an archive's entry brings changed pages of; undefined for what comes whole. */
export function relationOf(path: string): string | undefined {
  const slash = path.lastIndexOf('/') + 1;
  if (!path.startsWith(PREFIX, slash)) return undefined;
  const whole = path.slice(0, slash) + path.slice(slash + PREFIX.length);
  return isRelationFile(whole) ? whole : undefined;
}

/** Which pages of a file an incremental base brings. */
export interface SentPages {
  /** Numbers in the file, ascending. */
  readonly numbers: Uint32Array;
  /** Pages that the file has at least; those before that were not sent are as they were. */
  readonly least: number;
}

/**
 * Reads the head of a file that came incrementally, up to its first page. `size` is the entry's.
 *
 *     u32 magic 0xd3ae1f0d   u32 pages sent   u32 least pages   u32 number … of each page sent
 *     zeros up to a multiple of 8192, if pages follow   the pages
 *
 * All little-endian: in the byte order of the server, which is that of every platform that it is run on here.
 */
export async function readSentPages(source: ByteSource, path: string, size: number): Promise<SentPages> {
  const head = await take(source, 12, path);
  const sent = head.readUInt32LE(4);
  if (head.readUInt32LE(0) !== MAGIC || sent > BLOCKS_PER_SEGMENT) throw unreadable(path);
  const list = await take(source, 4 * sent, path);
  const numbers = Uint32Array.from({ length: sent }, (_, at) => list.readUInt32LE(4 * at));
  for (let at = 0; at < sent; at++) {
    const number = numbers[at] ?? 0;
    if (number >= BLOCKS_PER_SEGMENT || (at > 0 && number <= (numbers[at - 1] ?? 0))) throw unreadable(path);
  }
  const unpadded = 12 + 4 * sent;
  const padding = sent === 0 ? 0 : (PAGE - (unpadded % PAGE)) % PAGE;
  if (size !== unpadded + padding + sent * PAGE) throw unreadable(path);
  await take(source, padding, path);
  // Minor releases without the correction name more than a file can hold, of tables that lost whole gigabytes.
  return { numbers, least: Math.min(head.readUInt32LE(8), BLOCKS_PER_SEGMENT) };
}

const MAGIC = 0xd3ae1f0d;

/** How a file that came incrementally is put together from chunks of the earlier base's. */
export interface MergePlan {
  /** Bytes of the file. */
  readonly size: number;
  readonly chunks: readonly PlannedChunk[];
  /** How many chunks of the earlier file are behind the end now. */
  readonly dropped: number;
}

export type PlannedChunk =
  /** As it is in the earlier base, at the same place. */
  | { readonly kind: 'kept' }
  | {
      readonly kind: 'made';
      /** Bytes of the chunk. */
      readonly length: number;
      /** Bytes at its beginning that are taken from the earlier one; what is neither that nor sent is zero. */
      readonly fromEarlier: number;
      /** Which of the pages sent are in it, as positions in `SentPages.numbers`. */
      readonly firstSent: number;
      readonly endSent: number;
    };

/** The file that a merge begins with. */
export interface EarlierFile {
  /** Bytes. */
  readonly size: number;
  /** Pages that have been in the file all the time since: it was never shorter. */
  readonly stayed: number;
}

/**
 * Plans a file of which `sent` arrived. A page that neither was sent nor stayed is zero: the server made the file longer
 * and has not written into it.
 *
 * The server's `least` does not say what stayed. A file that was made shorter and longer again has its whole length there,
 * and the pages of the earlier base would bring back rows that were deleted (tried on 17.10 and 18.4: they do).
 */
export function planMerge(
  { numbers, least }: SentPages,
  { size: earlierSize, stayed }: EarlierFile,
  chunkBytes: number,
): MergePlan {
  const pages = Math.max(least, (numbers.at(-1) ?? -1) + 1);
  const size = pages * PAGE;
  // Half a page at the end of the earlier file was being written when it was read.
  const usable = Math.min(Math.floor(earlierSize / PAGE), least, stayed) * PAGE;
  const chunks: PlannedChunk[] = [];
  let at = 0;
  for (let start = 0; start < size; start += chunkBytes) {
    const end = Math.min(start + chunkBytes, size);
    const firstSent = at;
    while (at < numbers.length && (numbers[at] ?? 0) * PAGE < end) at += 1;
    const untouched = at === firstSent && end <= usable && end === Math.min(start + chunkBytes, earlierSize);
    const fromEarlier = Math.max(0, Math.min(usable, end) - start);
    chunks.push(
      untouched
        ? { kind: 'kept' }
        : { kind: 'made', length: end - start, fromEarlier, firstSent, endSent: at },
    );
  }
  const dropped = Math.max(0, Math.ceil(earlierSize / chunkBytes) - chunks.length);
  return { size, chunks, dropped };
}

async function take(source: ByteSource, length: number, path: string): Promise<Buffer> {
  const bytes = await source.take(length);
  if (bytes === undefined) throw unreadable(path);
  return bytes;
}

function unreadable(path: string): Failure {
  return new Failure('source.unreadable', 'a file of changed pages cannot be understood', { subject: path });
}
