import { closeSync, constants, openSync } from 'node:fs';
import type { Advice } from '../../kernel/posix/advice.ts';
import { type BytePath, toSystemPath } from './byte-path.ts';

/**
 * Files that are about to be read one after the other. Some are opened ahead and announced to the kernel: small files
 * that are not in its cache then come from the disk side by side, two to three times as fast as one by one.
 */
export class OpenedAhead implements Disposable {
  readonly #paths: readonly BytePath[];
  readonly #advice: Advice | undefined;
  readonly #opened: (number | { readonly error: unknown })[] = [];
  #next = 0;

  constructor(paths: readonly BytePath[], advice: Advice | undefined) {
    this.#paths = paths;
    this.#advice = advice;
  }

  /** The descriptor of the next file, the caller's to close. Throws Node's errno error when it cannot be opened. */
  next(): number {
    while (this.#next < this.#paths.length && this.#opened.length < AHEAD) this.#openNext();
    const opened = this.#opened.shift();
    if (typeof opened === 'number') return opened;
    throw opened?.error ?? new RangeError('there is no further file');
  }

  /** Closes what was opened and not asked for. */
  [Symbol.dispose](): void {
    for (const opened of this.#opened.splice(0)) if (typeof opened === 'number') closeSync(opened);
  }

  #openNext(): void {
    const path = this.#paths[this.#next] ?? '';
    this.#next += 1;
    try {
      const file = openQuietly(path);
      this.#opened.push(file);
      // A lone file is read at once: nothing would be gained by announcing it.
      if (this.#paths.length > 1) this.#advice?.willNeed(file);
    } catch (error) {
      this.#opened.push({ error });
    }
  }
}

/** Disks answer so many requests at once without the first one waiting long. */
const AHEAD = 16;

/**
 * Opens without following a link that took the file's place, without waiting for a FIFO's writer, and without touching
 * the access time where that is permitted (the owner and root may).
 */
export function openQuietly(path: BytePath): number {
  const system = toSystemPath(path);
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  if (mayHideAccess) {
    try {
      return openSync(system, flags | O_NOATIME);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    }
  }
  return openSync(system, flags);
}

const O_NOATIME: number = (constants as { O_NOATIME?: number }).O_NOATIME ?? 0;
const mayHideAccess = O_NOATIME !== 0;
