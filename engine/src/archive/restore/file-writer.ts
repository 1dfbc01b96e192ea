import { closeSync, constants, fstatSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { type BytePath, toSystemPath } from '../backup/byte-path.ts';
import type { CounterRow } from './counters.ts';
import type { Directories } from './directories.ts';
import { FILE_STATE, type Ledger } from './ledger.ts';
import type { Metadata } from './metadata.ts';
import { codeOf, isFatalForTarget, type RestoreProblem, TWO_NAMES, wordsOf } from './problem.ts';
import { HOLE_BYTES, writeAroundZeros } from './zero-runs.ts';

export interface FileWriterOptions {
  readonly ledger: Ledger;
  readonly directories: Directories;
  readonly metadata: Metadata;
  readonly counters: CounterRow;
  readonly sparse: boolean;
  /** Keep what could be had of a damaged file. */
  readonly salvage: boolean;
  readonly problem: (record: number, kind: RestoreProblem['kind'], message: string) => void;
}

/**
 * Fills files, in one worker. A file of one blob is made, filled, given its attributes and closed in one go. Of a
 * larger one the blobs arrive in any order and in any worker: whoever is first makes it, at its full length, and
 * whoever brings the last blob gives it its attributes. Until then its time is not the snapshot's, so that an
 * interrupted file never passes for a finished one.
 */
export class FileWriter {
  readonly #options: FileWriterOptions;
  /** Files of several blobs, in order of use: the next blob is often for the same one. */
  readonly #open = new Map<number, number>();

  constructor(options: FileWriterOptions) {
    this.#options = options;
  }

  /** Writes one blob's plaintext where it belongs. */
  write(record: number, offset: number, bytes: Uint8Array): void {
    const { ledger } = this.#options;
    if (ledger.blobCount(record) === 1 && !ledger.isExisting(record)) {
      this.#writeWhole(record, bytes);
      return;
    }
    const descriptor = this.#openPart(record);
    if (descriptor !== undefined) {
      this.#guard(record, () =>
        this.#fill(descriptor, offset, bytes, this.#options.sparse && !ledger.isExisting(record)),
      );
    }
    this.#arrive(record);
  }

  /** A file without content. */
  make(record: number): void {
    this.#writeWhole(record, NOTHING);
  }

  /** A blob of this file cannot be had. */
  giveUp(record: number, reason: string): void {
    const { ledger, problem, salvage } = this.#options;
    // Of a single blob nothing is left to keep.
    const keeps = salvage && ledger.blobCount(record) > 1;
    if (ledger.markDamaged(record)) problem(record, keeps ? 'incomplete' : 'damaged', reason);
    // It counts as come: what has come of the others decides what remains of the file.
    if (keeps) this.#openPart(record);
    this.#arrive(record);
  }

  /** The content is right: only length and attributes are to be set. */
  finishExisting(record: number): void {
    const { ledger, directories } = this.#options;
    this.#guard(record, () => {
      const descriptor = openForMetadata(directories.entry(record));
      try {
        if (fstatSync(descriptor).size !== ledger.sizeOf(record))
          ftruncateSync(descriptor, ledger.sizeOf(record));
        this.#complete(record, descriptor);
      } finally {
        closeSync(descriptor);
      }
    });
  }

  close(): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor);
    this.#open.clear();
  }

  #writeWhole(record: number, bytes: Uint8Array): void {
    this.#guard(record, () => {
      const path = this.#options.directories.entry(record);
      const descriptor = openSync(toSystemPath(path), CREATE, 0o600);
      try {
        this.#fill(descriptor, 0, bytes, this.#options.sparse, true);
        this.#complete(record, descriptor, path);
      } finally {
        closeSync(descriptor);
      }
    });
  }

  /** `isWhole`: these are all the bytes of the file, which may end in a hole. */
  #fill(descriptor: number, offset: number, bytes: Uint8Array, sparse: boolean, isWhole = false): void {
    this.#options.counters.add('bytesWritten', bytes.length);
    if (!sparse || bytes.length < HOLE_BYTES) {
      writeAll(descriptor, bytes, 0, bytes.length, offset);
      return;
    }
    let written = 0;
    writeAroundZeros(bytes, (from, to) => {
      writeAll(descriptor, bytes, from, to, offset + from);
      written = to;
    });
    if (isWhole && written < bytes.length) ftruncateSync(descriptor, bytes.length);
  }

  #openPart(record: number): number | undefined {
    const known = this.#open.get(record);
    if (known !== undefined) return known;
    const descriptor = this.#makeOrOpen(record);
    if (descriptor === undefined) return undefined;
    this.#open.set(record, descriptor);
    if (this.#open.size > MOST_OPEN) {
      const [oldest] = this.#open.keys();
      if (oldest !== undefined) this.#close(oldest);
    }
    return descriptor;
  }

  #makeOrOpen(record: number): number | undefined {
    const { ledger, directories } = this.#options;
    if (!ledger.beginMaking(record)) {
      if (ledger.awaitMade(record) !== FILE_STATE.there) return undefined;
      return this.#guard(record, () => openSync(toSystemPath(directories.entry(record)), REOPEN));
    }
    let state: number = FILE_STATE.refused;
    try {
      return this.#guard(record, () => {
        const descriptor = openSync(toSystemPath(directories.entry(record)), CREATE, 0o600);
        state = FILE_STATE.there;
        ftruncateSync(descriptor, ledger.sizeOf(record));
        return descriptor;
      });
    } finally {
      ledger.settle(record, state);
    }
  }

  #arrive(record: number): void {
    const { ledger, salvage } = this.#options;
    if (!ledger.arrived(record)) return;
    const descriptor = ledger.state(record) === FILE_STATE.there ? this.#openPart(record) : undefined;
    if (descriptor === undefined) return;
    if (!ledger.isDamaged(record) || salvage) this.#guard(record, () => this.#complete(record, descriptor));
    else if (!ledger.isExisting(record))
      this.#guard(record, () => unlinkSync(toSystemPath(this.#options.directories.entry(record))));
    this.#close(record);
  }

  #complete(
    record: number,
    descriptor: number,
    path: BytePath = this.#options.directories.entry(record),
  ): void {
    const { ledger, metadata, counters } = this.#options;
    metadata.ofFile(record, descriptor, path);
    if (ledger.isDamaged(record)) return;
    counters.add('filesDone', 1);
    counters.add('bytesDone', ledger.sizeOf(record));
  }

  #close(record: number): void {
    const descriptor = this.#open.get(record);
    if (descriptor === undefined) return;
    this.#open.delete(record);
    closeSync(descriptor);
  }

  /** What the file system refuses for one file is that file's problem, unless nothing more can be written at all. */
  #guard<Result>(record: number, act: () => Result): Result | undefined {
    try {
      return act();
    } catch (error) {
      if (isFatalForTarget(error)) throw error;
      if (!this.#options.ledger.markDamaged(record)) return undefined;
      if (codeOf(error) === 'EEXIST') this.#options.problem(record, 'unsafe', TWO_NAMES);
      else this.#options.problem(record, 'write', wordsOf(error));
      return undefined;
    }
  }
}

const { O_WRONLY, O_RDONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
const CREATE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
const REOPEN = O_WRONLY | O_NOFOLLOW;
const MOST_OPEN = 32;
const NOTHING = new Uint8Array(0);

function writeAll(descriptor: number, bytes: Uint8Array, from: number, to: number, position: number): void {
  for (let at = from; at < to; ) at += writeSync(descriptor, bytes, at, to - at, position + at - from);
}

/** For writing where that is permitted; a read-only file's attributes can be set all the same. */
function openForMetadata(path: BytePath): number {
  try {
    return openSync(toSystemPath(path), REOPEN);
  } catch (error) {
    if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'ETXTBSY') throw error;
    return openSync(toSystemPath(path), O_RDONLY | O_NOFOLLOW);
  }
}
