import { Failure } from '../kernel/failure.ts';
import type { Id } from '../kernel/id.ts';
import { isId } from '../kernel/id.ts';
import { asRecord, idField, idListField, type JsonRecord, listField, parseRecord } from './json-shape.ts';
import { isPlausible } from './pack.ts';
import type { IndexedPack, PackedBlob } from './types.ts';

/** What one index file tells (restic design, "Indexing"). */
export interface IndexFile {
  readonly packs: readonly IndexedPack[];
  /** Packs that nobody needs any more and that are deleted after a while: rustic's `packs_to_delete`. */
  readonly packsToDelete: readonly MarkedPack[];
  /** Index files that this one replaces. Old restic wrote this; today's deletes them instead. */
  readonly supersedes: readonly Id[];
}

export interface MarkedPack extends IndexedPack {
  /** When it was marked, RFC 3339; rustic always says it. */
  readonly time?: string;
  /** Of the file, in bytes: for a pack of which no index told the blobs, and none are listed here. */
  readonly size?: number;
}

/** restic ends an index file at this many blobs, so that it stays below 8 MiB. */
export const MOST_INDEXED_BLOBS = 50_000;

/** The JSON of an index file, field by field as restic writes it, with its newline at the end. */
export function encodeIndexFile(
  packs: readonly IndexedPack[],
  packsToDelete: readonly MarkedPack[] = [],
): Buffer {
  const marked =
    packsToDelete.length === 0 ? '' : `,"packs_to_delete":[${packsToDelete.map(encodePack).join()}]`;
  return Buffer.from(`{"packs":[${packs.map(encodePack).join()}]${marked}}\n`);
}

/** Reads the JSON of an index file. Anything that cannot be true is `repository.damaged`. */
export function decodeIndexFile(json: Uint8Array): IndexFile {
  const record = parseRecord(json, 'the index file');
  return {
    packs: listField(record, 'packs').map(decodePack),
    packsToDelete: listField(record, 'packs_to_delete').map(decodeMarkedPack),
    supersedes: idListField(record, 'supersedes'),
  };
}

function encodePack(pack: MarkedPack): string {
  const time = pack.time === undefined ? '' : `,"time":${JSON.stringify(pack.time)}`;
  const size = pack.size === undefined ? '' : `,"size":${pack.size}`;
  return `{"id":"${pack.id}","blobs":[${pack.blobs.map(encodeBlob).join()}]${time}${size}}`;
}

function encodeBlob(blob: PackedBlob): string {
  const uncompressed =
    blob.uncompressedLength === 0 ? '' : `,"uncompressed_length":${blob.uncompressedLength}`;
  return `{"id":"${blob.id}","type":"${blob.type}","offset":${blob.offset},"length":${blob.length}${uncompressed}}`;
}

function decodePack(value: unknown): IndexedPack {
  const record = asRecord(value, 'a pack of the index');
  return { id: idField(record, 'id'), blobs: listField(record, 'blobs').map(decodeBlob) };
}

function decodeMarkedPack(value: unknown): MarkedPack {
  const { time, size } = asRecord(value, 'a pack of the index');
  return {
    ...decodePack(value),
    ...(typeof time === 'string' ? { time } : {}),
    ...(typeof size === 'number' ? { size } : {}),
  };
}

/** Called for every blob of a repository when it opens: checks by hand rather than field by field with names. */
function decodeBlob(value: unknown): PackedBlob {
  const {
    id,
    type,
    offset,
    length,
    uncompressed_length: uncompressedLength = 0,
  } = (value ?? {}) as JsonRecord;
  if (
    typeof id === 'string' &&
    isId(id) &&
    (type === 'data' || type === 'tree') &&
    typeof offset === 'number' &&
    typeof length === 'number' &&
    typeof uncompressedLength === 'number' &&
    isPlausible({ offset, length, uncompressedLength })
  ) {
    return { type, id, offset, length, uncompressedLength };
  }
  throw new Failure(
    'repository.damaged',
    `The index lists a blob that cannot be: ${JSON.stringify(value).slice(0, 200)}.`,
  );
}
