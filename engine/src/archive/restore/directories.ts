import { closeSync, constants, existsSync, lstatSync, openSync } from 'node:fs';
import { type BytePath, joinPath, toSystemPath } from '../backup/byte-path.ts';
import { type Ledger, TARGET } from './ledger.ts';

/**
 * The directories below the target, each entered only while it is a real directory.
 *
 * On Linux each is opened from its parent's descriptor without following links, and entries are named through the
 * descriptor: `/proc/self/fd/17/name`. So whoever swaps a directory for a symlink while we work gains nothing. Elsewhere
 * plain paths must do: every step was looked at when it was first used.
 *
 * At most `MOST_OPEN` are kept open. A path that this gave out is good until the next one is asked for.
 */
export class Directories {
  readonly #ledger: Ledger;
  /** By record, in order of use: a path that ends with a slash, and the descriptor that it goes through, if any. */
  readonly #open = new Map<number, { path: BytePath; descriptor: number | undefined }>();
  readonly #throughDescriptors = process.platform === 'linux' && existsSync('/proc/self/fd');

  /** `target` is absolute; it may be a symlink itself, since it was a person that said so. */
  constructor(ledger: Ledger, target: BytePath) {
    this.#ledger = ledger;
    this.#keep(TARGET, joinPath(target, ''), constants.O_DIRECTORY);
  }

  /** Where an entry is, to be used at once. Throws node:fs' errors, `ENOTDIR` or `ELOOP` for what is no directory. */
  entry(record: number): BytePath {
    return this.inside(this.#ledger.directoryOf(record)) + this.#ledger.nameOf(record);
  }

  /** A directory's path with a slash behind it. */
  inside(directory: number): BytePath {
    const wanted: number[] = [];
    let at = directory;
    while (!this.#open.has(at)) {
      wanted.push(at);
      at = this.#ledger.directoryOf(at);
    }
    let found = this.#touch(at);
    for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
      found = this.#keep(next, found + this.#ledger.nameOf(next), NO_FOLLOW);
    }
    return found;
  }

  close(): void {
    for (const { descriptor } of this.#open.values()) if (descriptor !== undefined) closeSync(descriptor);
    this.#open.clear();
  }

  #touch(directory: number): BytePath {
    const known = this.#open.get(directory);
    if (known === undefined) throw new Error('a directory was closed while it was in use');
    if (directory !== TARGET) {
      this.#open.delete(directory);
      this.#open.set(directory, known);
    }
    return known.path;
  }

  #keep(directory: number, path: BytePath, flags: number): BytePath {
    const descriptor = this.#throughDescriptors ? openSync(toSystemPath(path), flags | O_PATH) : undefined;
    if (descriptor === undefined && flags === NO_FOLLOW) refuseLink(path);
    const inside = descriptor === undefined ? joinPath(path, '') : `/proc/self/fd/${descriptor}/`;
    this.#open.set(directory, { path: inside, descriptor });
    if (this.#open.size > MOST_OPEN) this.#dropOldest();
    return inside;
  }

  #dropOldest(): void {
    for (const [directory, { descriptor }] of this.#open) {
      if (directory === TARGET) continue;
      if (descriptor !== undefined) closeSync(descriptor);
      this.#open.delete(directory);
      return;
    }
  }
}

const NO_FOLLOW = constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Linux only (open(2)): opens a place without reading it, so that a directory without `r` can be entered. */
const O_PATH = 0o10000000;
const MOST_OPEN = 64;

function refuseLink(path: BytePath): void {
  if (lstatSync(toSystemPath(path)).isDirectory()) return;
  const error: NodeJS.ErrnoException = new Error(`ENOTDIR: not a directory, open '${path}'`);
  error.code = 'ENOTDIR';
  throw error;
}
