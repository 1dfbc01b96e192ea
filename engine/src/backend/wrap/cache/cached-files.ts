import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../kernel/clock.ts';
import { sha256Id } from '../../../kernel/hash.ts';
import { isId } from '../../../kernel/id.ts';
import type { FileType, Handle } from '../../backend.ts';

/** Types of files whose name is the hash of their content: what is read can be proved, and never becomes old. */
export type CachedType = Extract<FileType, 'index' | 'snapshot' | 'pack'>;
export const CACHED_TYPES: readonly CachedType[] = ['index', 'snapshot', 'pack'];

export interface CachedFilesOptions {
  readonly clock: Clock;
  /** Bytes that may lie in the directory; a little more until the next time that somebody counts. */
  readonly capacity: number;
}

/**
 * Copies of a repository's files in a directory, `<type>/<name>`, of one process or of several at once. Nothing here is
 * needed and nothing is believed: a file appears whole or not at all, whatever does not have the content that its name
 * says is removed and counts as not there, and so does all that fails. The time of last use is the file's mtime.
 *
 * Synchronous: these are small reads, which take less time than handing them to another thread.
 */
export class CachedFiles {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #capacity: number;
  #writtenSinceCount = 0;
  #temporaries = 0;

  constructor(directory: string, { clock, capacity }: CachedFilesOptions) {
    this.#directory = directory;
    this.#clock = clock;
    this.#capacity = capacity;
  }

  read(handle: Handle): Uint8Array<ArrayBuffer> | undefined {
    const path = this.#pathOf(handle);
    if (path === undefined) return undefined;
    const bytes = attempt(() => readWhole(path));
    if (bytes === undefined) return undefined;
    if (sha256Id(bytes) !== handle.name) {
      this.remove(handle);
      return undefined;
    }
    const now = this.#clock.now() / 1000;
    attempt(() => utimesSync(path, now, now));
    return bytes;
  }

  /** Keeps a copy, if `bytes` are what the name says. */
  write(handle: Handle, bytes: Uint8Array): void {
    const path = this.#pathOf(handle);
    if (path === undefined || sha256Id(bytes) !== handle.name) return;
    this.#temporaries += 1;
    const temporary = `${path}.${process.pid}-${this.#temporaries}${TEMPORARY}`;
    try {
      mkdirSync(join(this.#directory, handle.type), { recursive: true, mode: 0o700 });
      writeFileSync(temporary, bytes, { mode: 0o600 });
      const now = this.#clock.now() / 1000;
      utimesSync(temporary, now, now);
      renameSync(temporary, path);
    } catch {
      // The disk is full, or not ours to write to: the repository has the file.
      attempt(() => rmSync(temporary, { force: true }));
      return;
    }
    this.#writtenSinceCount += bytes.length;
    if (this.#writtenSinceCount > this.#capacity / COUNTS_PER_CAPACITY) this.shrink();
  }

  remove(handle: Handle): void {
    const path = this.#pathOf(handle);
    if (path !== undefined) attempt(() => rmSync(path, { force: true }));
  }

  /** Removes the copies of files that the repository does not have any more. */
  keepOnly(type: CachedType, names: ReadonlySet<string>): void {
    for (const { name, path } of this.#entries(type)) {
      if (isId(name) && !names.has(name)) attempt(() => rmSync(path, { force: true }));
    }
  }

  /** Removes what was not used for longest, until there is room again, and what killed processes left. */
  shrink(): void {
    if (this.#writtenSinceCount === 0) return;
    this.#writtenSinceCount = 0;
    const now = this.#clock.now();
    const files: { path: string; size: number; usedAt: number }[] = [];
    for (const { name, path } of CACHED_TYPES.flatMap((type) => this.#entries(type))) {
      const found = attempt(() => statSync(path));
      if (found === undefined) continue;
      const abandoned = name.endsWith(TEMPORARY) && now - found.mtimeMs > ABANDONED_MS;
      if (abandoned) attempt(() => rmSync(path, { force: true }));
      else files.push({ path, size: found.size, usedAt: found.mtimeMs });
    }
    let held = files.reduce((sum, { size }) => sum + size, 0);
    if (held <= this.#capacity) return;
    for (const { path, size } of files.sort((a, b) => a.usedAt - b.usedAt)) {
      if (held <= this.#capacity * FULL_AFTER_SHRINKING) return;
      attempt(() => rmSync(path, { force: true }));
      held -= size;
    }
  }

  #entries(type: CachedType): { name: string; path: string }[] {
    const directory = join(this.#directory, type);
    return (attempt(() => readdirSync(directory)) ?? []).map((name) => ({
      name,
      path: join(directory, name),
    }));
  }

  /** Undefined for a name that is none: it must not lead anywhere. */
  #pathOf({ type, name }: Handle): string | undefined {
    return isId(name) ? join(this.#directory, type, name) : undefined;
  }
}

function readWhole(path: string): Uint8Array<ArrayBuffer> {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(fstatSync(descriptor).size);
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(descriptor, bytes, at, bytes.length - at, at);
      if (read === 0) break;
      at += read;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

/** What fails in a cache was not there: the correct answer is always in the repository. */
function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const TEMPORARY = '.tmp';
/** A temporary file of this age belongs to nobody any more. */
const ABANDONED_MS = 60 * 60_000;
/** Counting reads the whole directory: it is done when this part of the capacity was written, and at the end. */
const COUNTS_PER_CAPACITY = 16;
const FULL_AFTER_SHRINKING = 0.9;
