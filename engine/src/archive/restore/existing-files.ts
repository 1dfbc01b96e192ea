import { closeSync, constants, fstatSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import type { Attributes } from '../../kernel/posix/attributes.ts';
import { toBytes, toSystemPath } from '../backup/byte-path.ts';
import type { ContentReader } from './content.ts';
import type { Directories } from './directories.ts';
import type { Ledger } from './ledger.ts';
import { codeOf } from './problem.ts';

export interface ExistingFilesOptions {
  readonly ledger: Ledger;
  readonly directories: Directories;
  readonly reader: ContentReader;
  readonly attributes: Attributes | undefined;
  readonly stopped: () => boolean;
}

/**
 * Makes files that are in the target already ready to be written into.
 *
 * A file with a second name may have that name anywhere, also outside the target: it is left alone when nothing about
 * it differs, and otherwise a new file takes its place. The same for one that we may not write to.
 */
export class ExistingFiles {
  readonly #options: ExistingFilesOptions;

  constructor(options: ExistingFilesOptions) {
    this.#options = options;
  }

  /** The positions of the blobs to write; none when the content is right. `trusted`: it is believed to be. */
  prepare(record: number, trusted: boolean): readonly number[] {
    const { ledger, directories } = this.#options;
    const descriptor =
      tryOpen(directories.entry(record), READ_WRITE) ?? tryOpen(directories.entry(record), READ_ONLY);
    if (descriptor === undefined) return this.#replace(record);
    try {
      const found = fstatSync(descriptor.number, { bigint: true });
      const differing = trusted ? [] : this.#differing(record, descriptor.number);
      const isRight = differing.length === 0 && Number(found.size) === ledger.sizeOf(record);
      if (found.nlink > 1n && !(isRight && this.#isAlike(record, found))) return this.#replace(record);
      if (!isRight && !descriptor.writable) return this.#replace(record);
      if (!isRight) ftruncateSync(descriptor.number, ledger.sizeOf(record));
      return differing;
    } finally {
      closeSync(descriptor.number);
    }
  }

  #differing(record: number, descriptor: number): readonly number[] {
    return this.#options.reader.differing(record, descriptor, this.#options.stopped);
  }

  #isAlike(record: number, found: { mode: bigint; uid: bigint; gid: bigint; mtimeNs: bigint }): boolean {
    const { ledger } = this.#options;
    const mtime = ledger.timesOf(record)?.mtime ?? found.mtimeNs;
    return (
      Number(found.mode & 0o7777n) === ledger.modeOf(record) &&
      Number(found.uid) === ledger.uidOf(record) &&
      Number(found.gid) === ledger.gidOf(record) &&
      found.mtimeNs === mtime &&
      this.#hasItsAttributes(record)
    );
  }

  #hasItsAttributes(record: number): boolean {
    const { ledger, directories, attributes } = this.#options;
    const wanted = ledger.attributesOf(record);
    if (attributes === undefined) return wanted.length === 0;
    const path = toBytes(directories.entry(record));
    if (attributes.list(path).length !== wanted.length) return false;
    return wanted.every(({ name, value }) => attributes.get(path, name)?.equals(value) ?? false);
  }

  #replace(record: number): readonly number[] {
    const { ledger, directories } = this.#options;
    unlinkSync(toSystemPath(directories.entry(record)));
    ledger.becomesNew(record);
    return Array.from({ length: ledger.blobCount(record) }, (_, position) => position);
  }
}

function tryOpen(path: string, flags: number): { number: number; writable: boolean } | undefined {
  try {
    return { number: openSync(toSystemPath(path), flags), writable: flags === READ_WRITE };
  } catch (error) {
    const code = codeOf(error);
    // A link that took the file's place (ELOOP) is removed like a file that we may not touch.
    if (code === 'EACCES' || code === 'ETXTBSY' || code === 'EPERM' || code === 'ELOOP') return undefined;
    throw error;
  }
}

/** Not blocked by a FIFO that took the file's place. */
const READ_WRITE = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
