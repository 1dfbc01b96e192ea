import { linkSync, lstatSync, readlinkSync, symlinkSync } from 'node:fs';
import type { Posix } from '../../kernel/posix/posix.ts';
import { type BytePath, toBytes, toSystemPath } from '../backup/byte-path.ts';
import type { CounterRow, RestoreCounter } from './counters.ts';
import type { Directories } from './directories.ts';
import type { Ledger } from './ledger.ts';
import type { Metadata } from './metadata.ts';
import { removeOne } from './obstacle.ts';
import {
  codeOf,
  isFatalForTarget,
  type NotKeptKind,
  type RestoreProblem,
  TWO_NAMES,
  wordsOf,
} from './problem.ts';

/** What is made after all files are there. */
export type LateEntry =
  | { readonly kind: 'link'; readonly record: number; readonly to: number }
  | { readonly kind: 'symlink'; readonly record: number; readonly target: Buffer }
  | {
      readonly kind: 'special';
      readonly record: number;
      readonly type: 'dev' | 'chardev' | 'fifo';
      /** st_rdev. */
      readonly device: bigint;
    };

export interface LateOptions {
  readonly ledger: Ledger;
  readonly directories: Directories;
  /** A second way to directories, so that a link's two paths are good at the same time. */
  readonly sources: Directories;
  readonly metadata: Metadata;
  readonly posix: Posix;
  readonly counters: CounterRow;
  readonly notKept: (kind: NotKeptKind, reason: string) => void;
  readonly problem: (record: number, kind: RestoreProblem['kind'], message: string) => void;
}

/** Makes links, devices and FIFOs. Symlinks come last of all, so that nothing is ever written where one could be. */
export class LateEntries {
  readonly #options: LateOptions;

  constructor(options: LateOptions) {
    this.#options = options;
  }

  /** `stopped` is asked between two entries. */
  make(entries: readonly LateEntry[], stopped: () => void): void {
    for (const wanted of ['link', 'special', 'symlink'] as const) {
      for (const entry of entries) {
        if (entry.kind !== wanted) continue;
        stopped();
        this.#makeOne(entry);
      }
    }
  }

  /** Attributes of directories, children before parents: making something in a directory changes its time. */
  finishDirectories(records: readonly number[]): void {
    const { directories, metadata, counters } = this.#options;
    for (const record of records.toReversed()) {
      this.#guard(record, () => {
        metadata.ofPath(record, `${directories.inside(record)}.`);
        counters.add('directories', 1);
      });
    }
  }

  #makeOne(entry: LateEntry): void {
    const { counters } = this.#options;
    this.#guard(entry.record, () => {
      switch (entry.kind) {
        case 'link':
          this.#link(entry.record, entry.to);
          return counters.add(COUNTER.link, 1);
        case 'symlink':
          this.#symlink(entry.record, entry.target);
          return counters.add(COUNTER.symlink, 1);
        case 'special':
          if (this.#special(entry)) counters.add(COUNTER.special, 1);
      }
    });
  }

  #link(record: number, to: number): void {
    const { ledger, directories, sources, problem } = this.#options;
    if (ledger.isDamaged(to)) {
      problem(record, 'damaged', 'it is the same file as one that could not be restored');
      return;
    }
    const [from, path] = [sources.entry(to), directories.entry(record)];
    if (ledger.isExisting(record)) {
      const [wanted, found] = [lstatSync(toSystemPath(from)), lstatSync(toSystemPath(path))];
      if (wanted.dev === found.dev && wanted.ino === found.ino) return;
      removeOne(path);
    }
    linkSync(toSystemPath(from), toSystemPath(path));
  }

  #symlink(record: number, target: Buffer): void {
    const { metadata } = this.#options;
    const path = this.#clear(record, (existing) => isSymlinkTo(existing, target));
    if (path !== undefined) symlinkSync(target, toSystemPath(path));
    metadata.ofSymlink(record, this.#options.directories.entry(record));
  }

  #special({ record, type, device }: LateEntry & { kind: 'special' }): boolean {
    const { posix, metadata, notKept } = this.#options;
    if (posix.nodes === undefined) {
      notKept('specials', posix.unavailable ?? 'this system has none');
      return false;
    }
    const path = this.#clear(record, () => false) as BytePath;
    try {
      posix.nodes.make(toBytes(path), FILE_TYPE[type] | 0o600, type === 'fifo' ? 0n : device);
    } catch (error) {
      if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'EINVAL') throw error;
      notKept('specials', wordsOf(error));
      return false;
    }
    metadata.ofPath(record, path);
    return true;
  }

  /** Removes what is there unless it is right already; the free path, or undefined where nothing is to be made. */
  #clear(record: number, isRight: (path: BytePath) => boolean): BytePath | undefined {
    const { ledger, directories } = this.#options;
    const path = directories.entry(record);
    if (!ledger.isExisting(record)) return path;
    if (isRight(path)) return undefined;
    removeOne(path);
    return path;
  }

  #guard(record: number, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (isFatalForTarget(error)) throw error;
      if (codeOf(error) === 'EEXIST') this.#options.problem(record, 'unsafe', TWO_NAMES);
      else
        this.#options.problem(record, codeOf(error) === 'ENOTEMPTY' ? 'in-the-way' : 'write', wordsOf(error));
    }
  }
}

const COUNTER: Record<LateEntry['kind'], RestoreCounter> = {
  link: 'hardLinks',
  symlink: 'symlinks',
  special: 'specials',
};

/** The type bits of st_mode (inode(7)). */
const FILE_TYPE = { fifo: 0o010000, chardev: 0o020000, dev: 0o060000 } as const;

function isSymlinkTo(path: BytePath, target: Buffer): boolean {
  if (!lstatSync(toSystemPath(path)).isSymbolicLink()) return false;
  return readlinkSync(toSystemPath(path), 'buffer').equals(target);
}
