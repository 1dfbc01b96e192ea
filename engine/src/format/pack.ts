import { Failure } from '../kernel/failure.ts';
import { bytesFromId, idFromBytes } from '../kernel/id.ts';
import { SEAL_OVERHEAD } from './sealing.ts';
import type { BlobType, PackedBlob } from './types.ts';

/*
 * A pack file (restic design, "Pack Format"), all numbers little-endian:
 *
 *   ┌───────────────┬───┬───────────────┬─────────────────┬────────────────────────────┐
 *   │ sealed blob 1 │ … │ sealed blob n │  sealed header  │ u32 length of that header  │
 *   └───────────────┴───┴───────────────┴─────────────────┴────────────────────────────┘
 *
 *   header = entry 1 ‖ … ‖ entry n
 *   entry  = u8 type ‖ u32 sealed length [‖ u32 uncompressed length] ‖ 32 bytes id
 *   type   = 0 data, 1 tree, 2 compressed data, 3 compressed tree
 *
 * The uncompressed length stands in entries of types 2 and 3 alone, which exist in format 2 only. In format 2 a
 * pack holds blobs of one kind, data or trees. Blobs follow each other without a gap, so offsets are not stored.
 */

export const TRAILER_LENGTH = 4;
export const PLAIN_ENTRY_LENGTH = 1 + 4 + 32;
export const COMPRESSED_ENTRY_LENGTH = PLAIN_ENTRY_LENGTH + 4;

/** restic neither writes nor reads longer ones. */
export const LONGEST_SEALED_HEADER = 16 * 1024 * 1024;
/** How many blobs fit into a pack, if all are compressed. */
export const MOST_BLOBS = Math.floor((LONGEST_SEALED_HEADER - SEAL_OVERHEAD) / COMPRESSED_ENTRY_LENGTH);

const SHORTEST_SEALED_HEADER = SEAL_OVERHEAD + PLAIN_ENTRY_LENGTH;
const COMPRESSED = 2;
const TREE = 1;
const U32_LIMIT = 2 ** 32;

/**
 * The length of the sealed header that stands before `trailer`, the last four bytes of a pack of `packLength` bytes.
 * Fails with `repository.damaged` when no pack can have such a header.
 */
export function headerLengthOf(trailer: Uint8Array, packLength: number): number {
  if (trailer.length !== TRAILER_LENGTH) {
    throw new Failure('repository.damaged', `The pack is too short: it has ${packLength} bytes.`);
  }
  const length = viewOf(trailer).getUint32(0, true);
  if (
    length < SHORTEST_SEALED_HEADER ||
    length > LONGEST_SEALED_HEADER ||
    length + TRAILER_LENGTH > packLength
  ) {
    throw new Failure(
      'repository.damaged',
      `The pack of ${packLength} bytes claims a header of ${length} bytes, which cannot be.`,
      { hint: 'It was cut off, or is no pack at all.' },
    );
  }
  return length;
}

/** The blobs that an opened header tells, with the offsets that follow from their lengths. */
export function decodeHeader(header: Uint8Array): PackedBlob[] {
  const view = viewOf(header);
  const blobs: PackedBlob[] = [];
  let offset = 0;
  let at = 0;
  while (at < header.length) {
    const kind = view.getUint8(at);
    if (kind > (COMPRESSED | TREE)) {
      throw damagedHeader(`an entry of type ${kind}, which does not exist`);
    }
    const compressed = (kind & COMPRESSED) !== 0;
    const end = at + (compressed ? COMPRESSED_ENTRY_LENGTH : PLAIN_ENTRY_LENGTH);
    if (end > header.length) {
      throw damagedHeader('a last entry that is cut off');
    }
    const length = view.getUint32(at + 1, true);
    const uncompressedLength = compressed ? view.getUint32(at + 5, true) : 0;
    if (length < SEAL_OVERHEAD || (compressed && uncompressedLength === 0)) {
      throw damagedHeader(`a blob of ${length} bytes, which cannot be`);
    }
    const type: BlobType = (kind & TREE) === 0 ? 'data' : 'tree';
    blobs.push({ type, id: idFromBytes(header, end - 32), offset, length, uncompressedLength });
    offset += length;
    at = end;
  }
  return blobs;
}

/** The header, still to be sealed, of a pack in which `blobs` follow each other in this order. */
export function encodeHeader(blobs: readonly PackedBlob[]): Buffer {
  const header = Buffer.allocUnsafe(headerLengthFor(blobs));
  let at = 0;
  for (const blob of blobs) {
    const compressed = blob.uncompressedLength !== 0;
    header[at++] = (blob.type === 'tree' ? TREE : 0) | (compressed ? COMPRESSED : 0);
    at = header.writeUInt32LE(blob.length, at);
    if (compressed) {
      at = header.writeUInt32LE(blob.uncompressedLength, at);
    }
    header.set(bytesFromId(blob.id), at);
    at += 32;
  }
  return header;
}

/** The four bytes that end a pack. */
export function encodeTrailer(sealedHeaderLength: number): Buffer {
  const trailer = Buffer.allocUnsafe(TRAILER_LENGTH);
  trailer.writeUInt32LE(sealedHeaderLength);
  return trailer;
}

/** How long a pack with these blobs is: what the index says without looking at the file. */
export function packLengthFor(blobs: readonly PackedBlob[]): number {
  const sealed = blobs.reduce((sum, blob) => sum + blob.length, 0);
  return sealed + headerLengthFor(blobs) + SEAL_OVERHEAD + TRAILER_LENGTH;
}

/** Whether the numbers of a blob that comes from outside make sense: u32 as in a header, and room for the seal. */
export function isPlausible(blob: Pick<PackedBlob, 'offset' | 'length' | 'uncompressedLength'>): boolean {
  return (
    isU32(blob.offset) && isU32(blob.length) && blob.length >= SEAL_OVERHEAD && isU32(blob.uncompressedLength)
  );
}

function headerLengthFor(blobs: readonly PackedBlob[]): number {
  return blobs.reduce(
    (sum, blob) => sum + (blob.uncompressedLength === 0 ? PLAIN_ENTRY_LENGTH : COMPRESSED_ENTRY_LENGTH),
    0,
  );
}

function isU32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < U32_LIMIT;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damagedHeader(what: string): Failure {
  return new Failure('repository.damaged', `The pack's header has ${what}.`);
}
