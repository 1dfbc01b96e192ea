import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { openCacheDirectory } from '../../backend/wrap/cache/idle-caches.ts';
import { MAC_LENGTH, SEAL_OVERHEAD } from '../../format/sealing.ts';
import type { Clock } from '../../kernel/clock.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { BlobTable, type TableShape } from '../blob-table.ts';
import { Index, type ReadFile } from '../index.ts';
import type { LocalCache } from '../local-cache.ts';
import { PackNumbers } from '../pack-numbers.ts';
import type { Repository } from '../repository.ts';
import type { IndexCrew } from './index-crew.ts';
import { piecesOf } from './pieces.ts';

/*
 * The loaded index of a repository in one file of this machine, sealed with the repository's key, piece by piece, so
 * that several threads read it straight into the table:
 *
 *   ┌────────────────┬───┬────────────────┬───────────────┬────────────────────────────────────┐
 *   │ sealed piece 1 │ … │ sealed piece n │ sealed header │ u32 length of that (little-endian) │
 *   └────────────────┴───┴────────────────┴───────────────┴────────────────────────────────────┘
 *
 *   header = u32 length of JSON ‖ JSON ‖ ids of all packs, 32 bytes each, by number
 *
 * The header has the MAC of each piece, so that nothing of an earlier file can stand in for a piece; and the names of the
 * index files that the table was made from: where one of them is gone, the file is worth nothing. It is replaced as a
 * whole. A file that is not exactly this is as good as none.
 */
interface Header {
  readonly layout: typeof LAYOUT;
  readonly table: TableShape;
  /** Of the pieces, one behind the other; here and below base64. */
  readonly macs: string;
  readonly files: readonly {
    readonly name: string;
    readonly packs: string;
    readonly marks?: string;
    readonly blobs: number;
  }[];
  /** For each: entry, number of the pack, offset, length, uncompressed length. */
  readonly copies: string;
}

/** To be changed with the layout of the table or of this file. */
const LAYOUT = 1;
const NAME = 'index-table';
const TEMPORARY = '.tmp';
/** A temporary file of this age belongs to nobody any more: writing one takes seconds. */
const ABANDONED_MS = 10 * 60_000;
/** Bytes; the table of some sixty million blobs. */
const LARGEST = 4 * 1024 ** 3;
const AT_ONCE = 8;

/**
 * The index as it was saved here last; undefined when there is none, or when it says anything of an index file that is
 * not `there`. The crew's threads are attached to the table that comes back.
 */
export async function restoreTable(
  repository: Repository,
  { directory }: LocalCache,
  there: ReadonlySet<string>,
  crew: IndexCrew,
): Promise<Index | undefined> {
  let descriptor: number | undefined;
  try {
    const opened = openSync(join(directory, repository.config.id, NAME), 'r');
    descriptor = opened;
    const found = readHeader(repository, opened);
    if (found === undefined || !found.header.files.every(({ name }) => there.has(name))) return undefined;
    const { header, packs } = found;
    const table = BlobTable.restore(header.table);
    crew.attach(table);
    const macs = Buffer.from(header.macs, 'base64');
    const right = await mapConcurrently(piecesOf(table.bytesInUse), AT_ONCE, (piece, at) =>
      crew.restore(opened, piece, macs.subarray(at * MAC_LENGTH, (at + 1) * MAC_LENGTH)),
    );
    return right.every(Boolean) ? indexOf(header, table, packs) : undefined;
  } catch {
    // The index files say the same.
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Keeps an index that was read from files, and from nothing else. A failure only means that there is no cache. */
export async function saveTable(
  repository: Repository,
  { directory, clock }: LocalCache,
  index: Index,
  crew: IndexCrew,
): Promise<void> {
  const pieces = piecesOf(index.table.bytesInUse);
  const last = pieces.at(-1);
  if (last === undefined || last.position + last.length > LARGEST) return;
  const own = openCacheDirectory(directory, repository.config.id, clock);
  removeAbandoned(own, clock);
  const temporary = join(own, `${NAME}.${process.pid}${TEMPORARY}`);
  let descriptor: number | undefined;
  try {
    const opened = openSync(temporary, 'wx', 0o600);
    descriptor = opened;
    const macs = await mapConcurrently(pieces, AT_ONCE, (piece) => crew.save(opened, piece));
    const header = repository.sealer.seal(encodeHeader(index, macs));
    const trailer = Buffer.alloc(4);
    trailer.writeUInt32LE(header.length);
    writeAll(opened, Buffer.concat([header, trailer]), last.position + last.length + SEAL_OVERHEAD);
    renameSync(temporary, join(own, NAME));
  } catch {
    // The disk is full, or not ours to write to; or another thread of this process is at it.
    if (descriptor !== undefined) attempt(() => rmSync(temporary, { force: true }));
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function readHeader(
  repository: Repository,
  descriptor: number,
): { readonly header: Header; readonly packs: Uint8Array } | undefined {
  const { size } = fstatSync(descriptor);
  const length = readAll(descriptor, 4, size - 4)?.readUInt32LE();
  if (length === undefined || length + 4 > size) return undefined;
  const sealed = readAll(descriptor, length, size - 4 - length);
  const plaintext = sealed === undefined ? undefined : repository.sealer.tryOpen(sealed);
  if (plaintext === undefined) return undefined;
  const end = 4 + plaintext.readUInt32LE();
  const header = JSON.parse(plaintext.toString('utf8', 4, end)) as Header;
  return header.layout === LAYOUT ? { header, packs: plaintext.subarray(end) } : undefined;
}

function encodeHeader(index: Index, macs: readonly Uint8Array[]): Buffer {
  const header: Header = {
    layout: LAYOUT,
    table: { firstLevel: index.table.shared.firstLevel, size: index.table.size },
    macs: base64(Buffer.concat(macs)),
    files: Array.from(index.filesRead, ([name, { packs, marks, blobs }]) => ({
      name,
      packs: base64(packs),
      blobs,
      ...(marks === undefined ? {} : { marks: base64(marks) }),
    })),
    copies: base64(Uint32Array.from(copyWords(index))),
  };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json, index.packNumbers.bytes]);
}

function* copyWords(index: Index): Iterable<number> {
  for (const [entry, places] of index.copies()) {
    for (const { pack, offset, length, uncompressedLength } of places)
      yield* [entry, index.packNumber(pack), offset, length, uncompressedLength];
  }
}

function indexOf(header: Header, table: BlobTable, packs: Uint8Array): Index {
  const index = new Index(table, PackNumbers.of(packs));
  for (const { name, packs: numbers, marks, blobs } of header.files) {
    const file: ReadFile = {
      packs: wordsOf(numbers),
      marks: marks === undefined ? undefined : Buffer.from(marks, 'base64'),
      blobs,
    };
    index.noteFile(name, file);
  }
  index.addCopies(wordsOf(header.copies));
  return index;
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function wordsOf(text: string): Uint32Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return new Uint32Array(bytes.buffer, 0, bytes.length / 4);
}

/** Undefined when the file ends before. */
function readAll(descriptor: number, length: number, position: number): Buffer | undefined {
  if (position < 0) return undefined;
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const read = readSync(descriptor, bytes, at, length - at, position + at);
    if (read === 0) return undefined;
    at += read;
  }
  return bytes;
}

function writeAll(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; )
    at += writeSync(descriptor, bytes, at, bytes.length - at, position + at);
}

function removeAbandoned(directory: string, clock: Clock): void {
  attempt(() => {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (!name.startsWith(`${NAME}.`) || !name.endsWith(TEMPORARY)) continue;
      if (clock.now() - statSync(path).mtimeMs > ABANDONED_MS) rmSync(path, { force: true });
    }
  });
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // In a cache nothing has to succeed.
  }
}
