import type { MasterKey } from '../../format/types.ts';
import type { SharedBlobTable } from '../../repository/blob-table.ts';
import type { BytePath } from '../backup/byte-path.ts';
import type { Ownership } from './metadata.ts';
import type { NotKeptKind, RestoreProblem } from './problem.ts';

/**
 * What the main thread and the workers of a restore say to each other. A worker does one task after the other,
 * synchronously, and answers each with `done`.
 */
export interface WorkerSetup {
  readonly worker: number;
  readonly key: MasterKey;
  readonly table: SharedBlobTable;
  readonly ledger: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  /** One Int32: not 0 when everybody is to stop. */
  readonly stop: SharedArrayBuffer;
  readonly target: BytePath;
  readonly ownership: Ownership;
  readonly sparse: boolean;
  readonly salvage: boolean;
}

export type Task = PackTask | PlainTask | GiveUpTask | FilesTask;

/**
 * Where the blobs of a pack belong, four numbers each, in the order of the pack: entry in the blob table, record of the
 * file, offset in the file (lower and upper 32 bits).
 */
export type Uses = Uint32Array<ArrayBuffer>;
export const USE_WORDS = 4;

export interface PackTask {
  readonly kind: 'pack';
  readonly ranges: readonly PackRange[];
  readonly uses: Uses;
}

/** Sealed bytes of a pack, from `offset` on. */
export interface PackRange {
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** One blob whose plaintext was found elsewhere. */
export interface PlainTask {
  readonly kind: 'plain';
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly uses: Uses;
}

/** Blobs that the repository cannot give. */
export interface GiveUpTask {
  readonly kind: 'give-up';
  readonly reason: string;
  readonly uses: Uses;
}

/**
 * `make`: files without content. `trust`: content that is believed to be right. `compare`: files that exist, of which
 * the answer says what differs. `verify`: reading back at the end.
 */
export interface FilesTask {
  readonly kind: 'make' | 'trust' | 'compare' | 'verify';
  readonly records: Uint32Array<ArrayBuffer>;
}

export type ToWorker = Task | { readonly kind: 'end' };

export type FromWorker =
  | { readonly type: 'done'; readonly differing: readonly DifferingFile[] }
  /** A blob that did not open; it may be had from elsewhere. */
  | { readonly type: 'damaged'; readonly uses: Uses; readonly reason: string }
  | { readonly type: 'problem'; readonly problem: RestoreProblem }
  /** A worker's first of each kind; the counters have the number. */
  | { readonly type: 'not-kept'; readonly kind: NotKeptKind; readonly reason: string }
  | { readonly type: 'crashed'; readonly message: string; readonly code: string | undefined };

/** Which of a file's blobs have to be written. */
export interface DifferingFile {
  readonly record: number;
  readonly positions: Uint32Array<ArrayBuffer>;
}
