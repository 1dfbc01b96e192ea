import { createHash, type Hash } from 'node:crypto';
import type { Id } from '../../kernel/id.ts';
import { bytesFromId } from '../../kernel/id.ts';
import type { BytePath } from './byte-path.ts';

/**
 * The scan cache: for each directory of one snapshot its entries as they were seen, the content ids of its files and
 * its tree id. With it an unchanged directory costs its lstats and one comparison.
 *
 *     magic (8) │ SHA-256 of records ‖ snapshot id (32) │ snapshot id (32) │ directory records …
 *
 *     record: length u32 │ path length u32 │ path │ tree id (32) │ entries length u32 │ entries │ contents
 *     contents, an entry each: count u32 │ ids (32 each): a file's data blobs, or a directory's subtree
 *
 * It is only a shortcut, never a source of truth: it is bound to its snapshot by id and to its own bytes by the hash,
 * and blobs that it names are used only when the index has them.
 */
export interface DirectoryRecord {
  readonly treeId: Buffer;
  readonly entries: Buffer;
  /** As stored: an entry's count and ids after the other's. */
  readonly contents: Buffer;
}

const SCAN_CACHE_MAGIC = Buffer.from('HFSCAN01');
export const HEADER_BYTES = 8 + 32 + 32;

export function encodeRecord(path: BytePath, record: DirectoryRecord): Buffer {
  const bytes = Buffer.allocUnsafe(
    4 + 4 + path.length + 32 + 4 + record.entries.length + record.contents.length,
  );
  let at = bytes.writeUInt32LE(bytes.length, 0);
  at = bytes.writeUInt32LE(path.length, at);
  at += bytes.write(path, at, 'latin1');
  at += record.treeId.copy(bytes, at);
  at = bytes.writeUInt32LE(record.entries.length, at);
  at += record.entries.copy(bytes, at);
  record.contents.copy(bytes, at);
  return bytes;
}

/** Contents in their stored form. `undefined` and an empty list are both "no ids". */
export function encodeContents(contents: readonly (Buffer | undefined)[]): Buffer {
  const parts: Buffer[] = [];
  for (const ids of contents) {
    const count = Buffer.allocUnsafe(4);
    count.writeUInt32LE((ids?.length ?? 0) / 32, 0);
    parts.push(count);
    if (ids !== undefined) parts.push(ids);
  }
  return Buffer.concat(parts);
}

export function decodeContents(bytes: Buffer): Buffer[] {
  const contents: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at) * 32;
    contents.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return contents;
}

/** The header of a cache file. `recordsHash` has seen the records; the snapshot is known only when they are complete. */
export function encodeCacheHeader(snapshot: Id, recordsHash: Hash): Buffer {
  const id = bytesFromId(snapshot);
  return Buffer.concat([SCAN_CACHE_MAGIC, recordsHash.update(id).digest(), id]);
}

/** A loaded cache as all threads share it: the file's bytes and a hash table from path to record. */
export interface SharedScanCache {
  readonly bytes: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
}

/** Checks a cache file and makes it shareable; undefined when it is another snapshot's, damaged or not one at all. */
export function shareCache(file: Buffer, snapshot: Id): SharedScanCache | undefined {
  if (file.length < HEADER_BYTES || !file.subarray(0, 8).equals(SCAN_CACHE_MAGIC)) return undefined;
  if (!file.subarray(40, 72).equals(bytesFromId(snapshot))) return undefined;
  const checksum = createHash('sha256')
    .update(file.subarray(HEADER_BYTES))
    .update(bytesFromId(snapshot))
    .digest();
  if (!checksum.equals(file.subarray(8, 40))) return undefined;

  const bytes = new SharedArrayBuffer(file.length);
  const shared = Buffer.from(bytes);
  file.copy(shared);
  const offsets: number[] = [];
  for (let at = HEADER_BYTES; at < shared.length; at += shared.readUInt32LE(at)) offsets.push(at);
  let size = 16;
  while (size < offsets.length * 2) size *= 2;
  const slots = new Uint32Array(new SharedArrayBuffer(size * 4));
  for (const offset of offsets) {
    let slot = hashPath(pathAt(shared, offset)) & (size - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (size - 1);
    slots[slot] = offset;
  }
  return { bytes, slots: slots.buffer };
}

/** Looks directories up in a shared cache. */
export class ScanCache {
  readonly #bytes: Buffer;
  readonly #slots: Uint32Array;

  constructor(shared: SharedScanCache) {
    this.#bytes = Buffer.from(shared.bytes);
    this.#slots = new Uint32Array(shared.slots);
  }

  find(path: BytePath): DirectoryRecord | undefined {
    const mask = this.#slots.length - 1;
    for (let slot = hashPath(path) & mask; ; slot = (slot + 1) & mask) {
      const offset = this.#slots[slot];
      if (offset === undefined || offset === 0) return undefined;
      if (pathAt(this.#bytes, offset) === path) return this.#record(offset);
    }
  }

  #record(offset: number): DirectoryRecord {
    const bytes = this.#bytes;
    const end = offset + bytes.readUInt32LE(offset);
    const tree = offset + 8 + bytes.readUInt32LE(offset + 4);
    const entries = tree + 36;
    const contents = entries + bytes.readUInt32LE(tree + 32);
    return {
      treeId: bytes.subarray(tree, tree + 32),
      entries: bytes.subarray(entries, contents),
      contents: bytes.subarray(contents, end),
    };
  }
}

function pathAt(bytes: Buffer, offset: number): BytePath {
  return bytes.toString('latin1', offset + 8, offset + 8 + bytes.readUInt32LE(offset + 4));
}

/** FNV-1a, 32 bits. */
function hashPath(path: BytePath): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < path.length; index += 1) {
    hash = Math.imul(hash ^ path.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
