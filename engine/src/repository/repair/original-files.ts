import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Chunker } from '../../chunker/chunker.ts';
import { createChunker } from '../../chunker/gear.ts';
import type { Node } from '../../format/types.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { sha256Id } from '../../kernel/hash.ts';
import type { Id } from '../../kernel/id.ts';
import type { BlobSource, TakeBlob, WantedBlob } from './blob-source.ts';
import type { KnownRepository, SourceMaker } from './blob-survey.ts';
import { originalPlaces } from './original-places.ts';
import { savedFiles } from './saved-files.ts';

/** A piece of a file on this machine; offset and length in bytes. */
interface Piece {
  readonly path: Buffer;
  readonly offset: number;
  readonly length: number;
}

/**
 * The files that snapshots were made of, as far as they are still there and still hold what was saved. Looked for where
 * the snapshots say, or below `directory`. They hold no trees: those only another repository has.
 */
export function originalFiles(directory?: string): SourceMaker {
  return (known) => new OriginalFiles(known, directory);
}

class OriginalFiles implements BlobSource {
  readonly name: string;
  readonly #known: KnownRepository;
  readonly #directory: string | undefined;
  readonly #pieces = new Map<Id, Piece>();

  constructor(known: KnownRepository, directory: string | undefined) {
    this.#known = known;
    this.#directory = directory;
    this.name = directory === undefined ? 'the original files' : `files below ${directory}`;
  }

  async find(wanted: readonly WantedBlob[], signal: AbortSignal): Promise<readonly WantedBlob[]> {
    const missing = new Set(wanted.filter(({ type }) => type === 'data').map(({ id }) => id));
    const chunker = createChunker(this.#known.chunkerPolynomial);
    for await (const saved of savedFiles(this.#known.snapshots, this.#known.loadTree)) {
      if (missing.size === 0) break;
      const lacks = () => (saved.node.content ?? []).some((id) => missing.has(id));
      for (const path of lacks() ? originalPlaces(saved, this.#directory) : []) {
        signal.throwIfAborted();
        await using file = await openFile(path);
        if (file === undefined) continue;
        await this.#lookWhereTheyWere(file, saved.node, path, missing);
        if (lacks()) await this.#lookAtCuts(file, path, chunker, missing);
        if (!lacks()) break;
      }
    }
    return wanted.filter(({ type, id }) => type === 'data' && this.#pieces.has(id));
  }

  async load({ type, id }: WantedBlob): Promise<Uint8Array | undefined> {
    const piece = type === 'data' ? this.#pieces.get(id) : undefined;
    if (piece === undefined) return undefined;
    await using file = await openFile(piece.path);
    const content = file && (await readPiece(file, piece));
    // It may have been changed since it was looked at.
    return content !== undefined && sha256Id(content) === id ? content : undefined;
  }

  async fetch(blobs: readonly WantedBlob[], take: TakeBlob): Promise<void> {
    await Promise.all(
      await mapConcurrently(blobs, READS_AT_ONCE, async (blob) => take(blob, await this.load(blob))),
    );
  }

  /** Whoever cut the file: where the lengths of the blobs before it are known, a blob's place is. */
  async #lookWhereTheyWere(file: FileHandle, node: Node, path: Buffer, missing: Set<Id>): Promise<void> {
    for (const { id, offset, length } of knownPlaces(node, this.#known.lengthOf)) {
      if (!missing.has(id)) continue;
      const content = await readPiece(file, { offset, length });
      if (content !== undefined && sha256Id(content) === id)
        this.#found({ path, offset, length }, id, missing);
    }
  }

  /** Cuts the file as a backup would: finds blobs of a file that grew or shrank before them too. */
  async #lookAtCuts(file: FileHandle, path: Buffer, chunker: Chunker, missing: Set<Id>): Promise<void> {
    const { memory } = chunker;
    let [held, base, ended] = [0, 0, false];
    while (!ended || held > 0) {
      while (!ended && held < memory.length) {
        const { bytesRead } = await file.read(memory, held, memory.length - held, base + held);
        held += bytesRead;
        ended = bytesRead === 0;
      }
      let start = 0;
      for (let end = chunker.cut(0, held, ended); end > 0; end = chunker.cut(start, held, ended)) {
        const id = sha256Id(memory.subarray(start, end));
        if (missing.has(id)) this.#found({ path, offset: base + start, length: end - start }, id, missing);
        start = end;
        if (start === held) break;
      }
      memory.copyWithin(0, start, held);
      held -= start;
      base += start;
    }
  }

  #found(piece: Piece, id: Id, missing: Set<Id>): void {
    this.#pieces.set(id, piece);
    missing.delete(id);
  }
}

/** The blobs of a file whose place in it can be told. One that nobody knows the length of has what the others leave. */
export function knownPlaces(
  { content = [], size }: Pick<Node, 'content' | 'size'>,
  lengthOf: (id: Id) => number | undefined,
): { readonly id: Id; readonly offset: number; readonly length: number }[] {
  const lengths = content.map(lengthOf);
  if (lengths.filter((length) => length === undefined).length === 1) {
    const rest = size - lengths.reduce<number>((sum, length) => sum + (length ?? 0), 0);
    lengths[lengths.indexOf(undefined)] = rest > 0 ? rest : undefined;
  }
  const places: { id: Id; offset: number; length: number }[] = [];
  let offset = 0;
  for (const [at, length] of lengths.entries()) {
    if (length === undefined) break;
    places.push({ id: content[at] as Id, offset, length });
    offset += length;
  }
  // From the end, up to where the lengths are not known either.
  let end = size;
  for (let at = content.length - 1; at >= places.length; at -= 1) {
    const length = lengths[at];
    if (length === undefined) break;
    end -= length;
    places.push({ id: content[at] as Id, offset: end, length });
  }
  return places;
}

/** Undefined for what is not there, is no file or may not be read: then it has nothing to give. */
async function openFile(path: Buffer): Promise<FileHandle | undefined> {
  try {
    // A FIFO in the place of a file would be waited for.
    const file = await open(path, O_RDONLY | O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch {
    // Another place may have it.
  }
  return undefined;
}

async function readPiece(
  file: FileHandle,
  { offset, length }: Pick<Piece, 'offset' | 'length'>,
): Promise<Uint8Array | undefined> {
  const content = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(content, at, length - at, offset + at);
    if (bytesRead === 0) return undefined;
    at += bytesRead;
  }
  return content;
}

const { O_RDONLY, O_NONBLOCK } = constants;

const READS_AT_ONCE = 4;
