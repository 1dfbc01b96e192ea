/**
 * A place that keeps a repository's files. Whoever writes a new one needs only this comment and the
 * conformance suite (`testing/backend-suite.ts`).
 *
 * A backend never knows what it stores. It promises:
 * - `save` is durable and atomic: when it resolves, the file survives a power cut and is whole; when it rejects or
 *   the process dies, no other reader ever sees a part of it. A name that exists already is not overwritten:
 *   `backend.exists`.
 * - `load` returns exactly the bytes asked for or rejects: `backend.not-found`, `backend.short-read` when the file
 *   ends before the range does. Never fewer bytes. A plain Uint8Array that owns its memory.
 * - `list` names every file whose `save` had resolved before the call, each once, in any order, and nothing that is
 *   no finished file of the repository (temporary files, strangers).
 * - `remove` of a file that is not there rejects with `backend.not-found`; after it resolves, `list` and `load` do not
 *   find it. It survives a power cut before a file of another type is removed, and when `close` resolves: a snapshot
 *   never comes back without the packs that were removed after it.
 * - A name that is no id, or a range that is none, is refused before anything is touched: `internal`.
 * - Every method stops soon after its signal aborts, with the signal's reason.
 *
 * Abilities that only some places have (object lock, warm-up) are optional properties: absent where impossible,
 * never a method that throws. Retry, limit, meter, read-only, fault are functions from Backend to Backend (`wrap/`);
 * they spread what they wrap, so a backend is a plain object made by a function, not an instance of a class.
 */
export interface Backend {
  /** Where it is, for people: restic's notation, never with a secret in it. */
  readonly location: string;
  /** How many calls at once make sense here. */
  readonly connections: number;
  /** On a disk of this machine: to read something twice costs no money and next to no time. */
  readonly near?: true;
  save(handle: Handle, data: Uint8Array, signal?: AbortSignal): Promise<void>;
  load(handle: Handle, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  stat(handle: Handle, signal?: AbortSignal): Promise<FileStat>;
  list(type: FileType, signal?: AbortSignal): AsyncIterable<ListedFile>;
  remove(handle: Handle, signal?: AbortSignal): Promise<void>;
  /** Gives back connections and file handles. The backend is not used afterwards. */
  close(): Promise<void>;
}

/** restic's file types. `config` is a single file, its name is ignored; the others are named by an id. */
export type FileType = 'config' | 'key' | 'lock' | 'snapshot' | 'index' | 'pack';

export interface Handle {
  readonly type: FileType;
  readonly name: string;
  /** Said of a pack that holds trees: no part of its name, but a cache keeps it, as it keeps index and snapshots. */
  readonly metadata?: boolean;
}

/** In bytes from the start of the file; `length` > 0. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface FileStat {
  readonly size: number;
}

export interface ListedFile {
  readonly name: string;
  readonly size: number;
}

export const CONFIG: Handle = { type: 'config', name: 'config' };
