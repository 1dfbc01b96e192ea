import type { CompressionMode } from '../../format/compression.ts';
import type { BlobType, MasterKey } from '../../format/types.ts';
import type { Id } from '../../kernel/id.ts';
import type { SharedBlobTable } from '../../repository/blob-table.ts';
import type { FinishedPack } from '../../repository/packer.ts';
import type { SelectionRules } from '../filter/exclude.ts';
import type { BytePath } from './byte-path.ts';
import type { SharedScanCache } from './scan-cache.ts';

/**
 * What the main thread and the workers of a backup say to each other. Workers run synchronously: they look at their
 * port between two tasks, or sleep on their wake counter in `signals` until somebody has put something there.
 */
export interface WorkerSetup {
  readonly worker: number;
  readonly key: MasterKey;
  readonly version: 1 | 2;
  readonly chunkerPolynomial: string;
  readonly compression: CompressionMode;
  readonly packSize: number;
  readonly table: SharedBlobTable;
  readonly counters: SharedArrayBuffer;
  readonly scan: ScanRules;
}

/** How files are looked at; plain data, the same in every worker. */
export interface ScanRules {
  readonly selection: SelectionRules;
  /** Keep access times. Off: a node's atime is its mtime, as restic does, so that reading a file changes nothing. */
  readonly withAtime: boolean;
  readonly ignoreInode: boolean;
  readonly ignoreCtime: boolean;
  /**
   * Contents of the parent are believed of files whose ctime (nanoseconds) lies before this: the moment at which the
   * parent was begun. A file that changed later may have been read before its change, within one tick of the clock.
   */
  readonly trustBefore: bigint;
  readonly cache: SharedScanCache | undefined;
}

/** Work that any worker can do. */
export type Task = DirectoryTask | FilesTask | SegmentTask | BlobsTask;

export interface DirectoryTask {
  readonly kind: 'directory';
  /** On disk. */
  readonly path: BytePath;
  /** The parent's tree for the same place; read when the scan cache does not know the directory. */
  readonly parentTree: Id | undefined;
  /** Given for levels that are assembled from the paths of the command line; read from disk otherwise. */
  readonly given?: readonly GivenEntry[];
}

/** An entry of an assembled level: its name in the snapshot and where it is on disk. */
export interface GivenEntry {
  readonly name: string;
  readonly path: BytePath;
  /** Entries of the next assembled level; absent when the whole of `path` is wanted. */
  readonly given?: readonly GivenEntry[];
}

/** Some files of a directory that has many. */
export interface FilesTask {
  readonly kind: 'files';
  readonly paths: readonly BytePath[];
}

export interface SegmentTask {
  readonly kind: 'segment';
  readonly path: BytePath;
  readonly offset: number;
}

/**
 * Chunks that a stream was cut into, by whoever reads the stream. In shared memory, which its owner uses again: a buffer that
 * changes hands is weighed as a new one by both threads' garbage collectors, and has them run all the time.
 */
export interface BlobsTask {
  readonly kind: 'blobs';
  readonly type: BlobType;
  readonly buffer: SharedArrayBuffer;
  /** Where each chunk ends in `buffer`; the first starts at 0. */
  readonly ends: readonly number[];
}

export type TaskResult = DirectoryResult | FilesResult | SegmentResult | BlobsResult;

export interface DirectoryResult {
  readonly kind: 'directory';
  /** 32 raw bytes; absent when the directory could not be read and is left out. */
  readonly tree?: Uint8Array;
}

export interface FilesResult {
  readonly kind: 'files';
  readonly files: readonly FileOutcome[];
}

export interface FileOutcome {
  /** Content ids, 32 bytes each; absent when the file could not be read and is left out. */
  readonly ids?: Uint8Array;
  readonly size: number;
  /** The entry as it was when it was opened, as an EntryList of one; its name is empty. */
  readonly opened?: Uint8Array;
}

export interface SegmentResult {
  readonly kind: 'segment';
  readonly ids?: Uint8Array;
  readonly size: number;
  /** Whether the file changed while this segment was read. */
  readonly changed: boolean;
  /** The file as it was when it was opened for this segment, as an EntryList of one. */
  readonly opened?: Uint8Array;
  /** Why there are no ids. */
  readonly code?: string | undefined;
  readonly message?: string;
}

export interface BlobsResult {
  readonly kind: 'blobs';
  readonly ids: Uint8Array;
}

/** In place of a worker's number. */
export const MAIN_THREAD = -1;

/** A task on its way to another worker; `from` gets the result under `ticket`. */
export interface SentTask {
  readonly type: 'task';
  readonly task: Task;
  readonly from: number;
  readonly ticket: number;
}

export type ToWorker =
  /** The first message. */
  | { readonly type: 'setup'; readonly setup: WorkerSetup }
  | SentTask
  | { readonly type: 'result'; readonly ticket: number; readonly result: TaskResult }
  | { readonly type: 'tree'; readonly bytes: Uint8Array | undefined }
  | { readonly type: 'buffer'; readonly buffer: ArrayBuffer }
  | { readonly type: 'flush' }
  | { readonly type: 'stop' };

export type FromWorker =
  /** Nothing to do: send a task when there is one. */
  | { readonly type: 'hungry' }
  /** For whoever is hungry. */
  | SentTask
  | { readonly type: 'result'; readonly to: number; readonly ticket: number; readonly result: TaskResult }
  | { readonly type: 'pack'; readonly pack: FinishedPack }
  | { readonly type: 'records'; readonly bytes: Uint8Array }
  | { readonly type: 'load-tree'; readonly id: Id }
  | { readonly type: 'problem'; readonly problem: ScanProblem }
  | { readonly type: 'flushed' }
  | { readonly type: 'crashed'; readonly error: unknown };

/** Something that could not be saved as it is, or was saved with a doubt. */
export interface ScanProblem {
  /** As text for people. */
  readonly path: string;
  /**
   * `unreadable`: left out of the snapshot. `incomplete`: saved without some of its attributes. `changed`: saved, but
   * it changed while it was read. `vanished`: it was deleted between the listing and the look, so there is nothing.
   */
  readonly kind: 'unreadable' | 'incomplete' | 'changed' | 'vanished';
  /** Node's errno code, where there is one. */
  readonly code: string | undefined;
  readonly message: string;
}
