import { type BigIntStats, closeSync, fstatSync, readSync } from 'node:fs';
import type { Chunker } from '../../chunker/chunker.ts';
import type { Holes } from '../../kernel/posix/holes.ts';
import type { Packer } from '../../repository/packer.ts';
import type { CounterRow } from './counters.ts';

/** What reading a file, or a part of one, brought. */
export interface ReadResult {
  /** Ids of its blobs, 32 bytes each, in order. */
  readonly ids: Buffer;
  /** Bytes that were there to read. */
  readonly size: number;
  /** The file as it was when it was opened. */
  readonly opened: BigIntStats;
  /** Whether it changed between opening and the last byte. */
  readonly changed: boolean;
}

/** Larger files are read in segments of this size, which several workers share. A chunk never spans two segments. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;

interface FileReaderParts {
  readonly chunker: Chunker;
  readonly packer: Packer;
  readonly counters: CounterRow;
  readonly holes: Holes | undefined;
  /** Whether the backup is being stopped. */
  readonly interrupted: () => boolean;
}

/**
 * Reads files through the chunker into the packer, synchronously. The file's bytes go straight into the chunker's own
 * memory, and everything behind it works on views of that.
 */
export class FileReader {
  readonly #chunker: Chunker;
  readonly #packer: Packer;
  readonly #counters: CounterRow;
  readonly #interrupted: () => boolean;
  readonly #holes: Holes | undefined;
  #holeIds: Buffer | undefined;

  constructor(parts: FileReaderParts) {
    this.#chunker = parts.chunker;
    this.#packer = parts.packer;
    this.#counters = parts.counters;
    this.#interrupted = parts.interrupted;
    this.#holes = parts.holes;
  }

  /**
   * Reads up to `length` bytes of an open file from `offset`, fewer when it ends before, and closes it. Throws Node's
   * errno errors, and `NotRegular` when something else has taken the file's place.
   */
  read(file: number, offset: number, length: number): ReadResult {
    try {
      const opened = fstatSync(file, { bigint: true });
      if (!opened.isFile()) throw new NotRegular();
      if (this.#isHole(file, opened, offset, length)) {
        return { ids: this.#holeSegment(), size: length, opened, changed: false };
      }
      const { ids, size } = this.#readChunks(file, offset, length);
      const after = fstatSync(file, { bigint: true });
      const changed = after.mtimeNs !== opened.mtimeNs || after.size !== opened.size;
      return { ids, size, opened, changed };
    } finally {
      closeSync(file);
    }
  }

  #readChunks(file: number, offset: number, length: number): { ids: Buffer; size: number } {
    const { memory } = this.#chunker;
    const ids: Buffer[] = [];
    let start = 0;
    let end = 0;
    let size = 0;
    let ended = false;
    while (!ended || start < end) {
      if (!ended) {
        if (start > 0) memory.copyWithin(0, start, end);
        end -= start;
        start = 0;
        const read = fill(file, memory, end, offset + size, length - size);
        size += read.bytes;
        end += read.bytes;
        ended = read.ended || size === length;
        this.#counters.add('bytesRead', read.bytes);
      }
      for (
        let cut = this.#chunker.cut(start, end, ended);
        cut > start;
        cut = this.#chunker.cut(start, end, ended)
      ) {
        ids.push(this.#save(memory.subarray(start, cut)));
        start = cut;
        if (start === end) break;
      }
      if (this.#interrupted()) throw new Interrupted();
    }
    return { ids: Buffer.concat(ids), size };
  }

  #save(chunk: Uint8Array): Buffer {
    const { id, added, packed } = this.#packer.save('data', chunk);
    if (packed > 0) {
      this.#counters.add('dataBlobs', 1);
      this.#counters.add('dataAdded', added);
      this.#counters.add('dataPacked', packed);
    }
    return id;
  }

  /** Only whole segments are asked about, of files that take fewer blocks than their size needs. */
  #isHole(file: number, stat: BigIntStats, offset: number, length: number): boolean {
    if (this.#holes === undefined || length !== SEGMENT_BYTES) return false;
    if (stat.blocks * 512n >= stat.size || BigInt(offset + length) > stat.size) return false;
    const data = this.#holes.seekData(file, offset);
    return data === undefined || data >= offset + length;
  }

  /** A segment that is nothing but a hole has always the same chunks: they are made once, without reading. */
  #holeSegment(): Buffer {
    if (this.#holeIds !== undefined) return this.#holeIds;
    const { memory } = this.#chunker;
    memory.fill(0);
    const ids: Buffer[] = [];
    for (let done = 0; done < SEGMENT_BYTES; ) {
      const available = Math.min(memory.length, SEGMENT_BYTES - done);
      const cut = this.#chunker.cut(0, available, done + available === SEGMENT_BYTES);
      ids.push(this.#save(memory.subarray(0, cut)));
      done += cut;
    }
    this.#holeIds = Buffer.concat(ids);
    return this.#holeIds;
  }
}

/** Something else stands where a regular file was: it is looked at anew by the next backup. */
export class NotRegular extends Error {
  readonly code = 'ENOTREGULAR';
  constructor() {
    super('it was replaced by something that is no regular file');
  }
}

/** Thrown between two chunks when the backup is being stopped. */
export class Interrupted extends Error {}

/** Fills `memory` from `at`, as far as it and `most` go. Short reads are asked again: only 0 means the end. */
function fill(file: number, memory: Uint8Array, at: number, position: number, most: number): Filled {
  const wanted = Math.min(memory.length - at, most);
  let bytes = 0;
  while (bytes < wanted) {
    const read = readSync(file, memory, at + bytes, wanted - bytes, position + bytes);
    if (read === 0) return { bytes, ended: true };
    bytes += read;
  }
  return { bytes, ended: false };
}

interface Filled {
  readonly bytes: number;
  readonly ended: boolean;
}
