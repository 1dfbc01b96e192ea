import { chmodSync, fchmodSync, fchownSync, futimesSync, lchownSync, lutimesSync } from 'node:fs';
import type { Posix } from '../../kernel/posix/posix.ts';
import { type BytePath, toBytes, toSystemPath } from '../backup/byte-path.ts';
import type { Ledger } from './ledger.ts';
import { type NotKeptKind, wordsOf } from './problem.ts';

/** `id`: the numbers as they are. `name`: what the names are here, the numbers where they are unknown. */
export type Ownership = 'id' | 'name' | 'none';

export interface MetadataOptions {
  readonly posix: Posix;
  readonly ledger: Ledger;
  readonly ownership: Ownership;
  readonly notKept: (kind: NotKeptKind, reason: string) => void;
}

/**
 * Sets what an entry has besides its content. The order is what makes it hold: a change of owner takes setuid bits and
 * capabilities away, attributes need a file that may still be written, an ACL changes the mode, and everything changes
 * times. What this user or this file system cannot keep is counted, never a reason to give up.
 */
export class Metadata {
  readonly #options: MetadataOptions;
  readonly #euid = process.geteuid?.() ?? 0;
  readonly #egid = process.getegid?.() ?? 0;

  constructor(options: MetadataOptions) {
    this.#options = options;
  }

  /** Of a file that was just made or filled, through its descriptor. `path` is for the attributes. */
  ofFile(record: number, descriptor: number, path: BytePath): void {
    const { ledger, posix } = this.#options;
    const isMade = !ledger.isExisting(record);
    const owned = this.#own(record, isMade, (uid, gid) => fchownSync(descriptor, uid, gid));
    this.#setAttributes(record, path);
    this.#try('modes', () => fchmodSync(descriptor, this.#modeOf(record, owned)));
    const times = ledger.timesOf(record);
    if (times === undefined) return;
    this.#try('times', () => {
      if (posix.times !== undefined) return posix.times.setOf(descriptor, times);
      futimesSync(descriptor, toSeconds(times.atime), toSeconds(times.mtime));
      this.#options.notKept('times', 'this system sets times only to the microsecond');
    });
  }

  /**
   * Of a directory or a special file, by path. `path` must not be a symlink: a directory is given as `…/.` through its
   * descriptor.
   */
  ofPath(record: number, path: BytePath): void {
    const owned = this.#own(record, false, (uid, gid) => lchownSync(toSystemPath(path), uid, gid));
    this.#setAttributes(record, path);
    this.#try('modes', () => chmodSync(toSystemPath(path), this.#modeOf(record, owned)));
    this.#setTimes(record, path);
  }

  /** Of a symlink itself. It has no mode, and on Linux no attributes that people may set. */
  ofSymlink(record: number, path: BytePath): void {
    this.#own(record, true, (uid, gid) => lchownSync(toSystemPath(path), uid, gid));
    this.#setAttributes(record, path);
    this.#setTimes(record, path);
  }

  /** Whether the owner is now what the snapshot says. `isMade`: it was just made, so its owner is known. */
  #own(record: number, isMade: boolean, chown: (uid: number, gid: number) => void): boolean {
    const { ledger, ownership, notKept } = this.#options;
    const [uid, gid] = [ledger.uidOf(record), ledger.gidOf(record)];
    if (isMade && uid === this.#euid && gid === this.#egid) return true;
    if (ownership === 'none') return uid === this.#euid && gid === this.#egid;
    try {
      chown(uid, gid);
      return true;
    } catch (error) {
      notKept('owners', wordsOf(error));
      return false;
    }
  }

  /** A program that ran as somebody must not come back as one that runs as somebody else. */
  #modeOf(record: number, owned: boolean): number {
    const mode = this.#options.ledger.modeOf(record);
    if (owned || (mode & SET_IDS) === 0) return mode;
    this.#options.notKept('modes', 'setuid and setgid bits are left out where the owner could not be kept');
    return mode & ~SET_IDS;
  }

  #setAttributes(record: number, path: BytePath): void {
    const { ledger, posix, notKept } = this.#options;
    const wanted = ledger.attributesOf(record);
    const scrub = ledger.needsScrub(record);
    if (wanted.length === 0 && !scrub) return;
    if (posix.attributes === undefined) {
      if (wanted.length > 0) notKept('attributes', posix.unavailable ?? 'there are none on this system');
      return;
    }
    const { attributes } = posix;
    const file = toBytes(path);
    if (scrub)
      this.#try('attributes', () =>
        this.#removeOthers(file, new Set(wanted.map(({ name }) => name.toString('latin1')))),
      );
    for (const { name, value } of wanted) this.#try('attributes', () => attributes.set(file, name, value));
  }

  /** What the snapshot does not know goes, but for what the system itself puts there (labels, capabilities). */
  #removeOthers(file: Buffer, wanted: ReadonlySet<string>): void {
    const { attributes } = this.#options.posix;
    for (const name of attributes?.list(file) ?? []) {
      const text = name.toString('latin1');
      if (!wanted.has(text) && !text.startsWith('security.')) attributes?.remove(file, name);
    }
  }

  #setTimes(record: number, path: BytePath): void {
    const { ledger, posix, notKept } = this.#options;
    const times = ledger.timesOf(record);
    if (times === undefined) return;
    this.#try('times', () => {
      if (posix.times !== undefined) return posix.times.set(toBytes(path), times);
      lutimesSync(toSystemPath(path), toSeconds(times.atime), toSeconds(times.mtime));
      notKept('times', 'this system sets times only to the microsecond');
    });
  }

  #try(kind: NotKeptKind, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.notKept(kind, wordsOf(error));
    }
  }
}

const SET_IDS = 0o6000;

function toSeconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e9;
}
