import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCacheDirectory } from '../backend/wrap/cache/idle-caches.ts';
import { decodeUnpacked, encodeUnpacked } from '../format/compression.ts';
import type { Sealer } from '../format/sealing.ts';
import type { StoredSnapshot } from '../format/types.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Id } from '../kernel/id.ts';
import { decodeRows, encodeRows } from './snapshot-rows.ts';

export interface RememberedSnapshotsOptions {
  readonly clock: Clock;
  /** The user's, with the caches of all repositories in it. */
  readonly directory: string;
  readonly repositoryId: string;
}

/**
 * The snapshots of a repository, decoded, in one file on this machine: a list of 100,000 is one read instead of as many.
 * What is in it was read from the repository and had the content that its name says; a snapshot never changes. Which
 * there are, only the repository knows: whoever lists asks it, and takes from here what a name stands for.
 *
 * Paths and names of hosts are nobody else's business: the file is sealed with the repository's key. It appears whole or
 * not at all, and of several processes the last one counts. Whatever fails here was not there.
 */
export class RememberedSnapshots {
  readonly #options: RememberedSnapshotsOptions;
  #known: ReadonlyMap<Id, StoredSnapshot> | undefined;
  /** By how many snapshots the file differs from what is known. */
  #unwritten = 0;

  constructor(options: RememberedSnapshotsOptions) {
    this.#options = options;
  }

  recall(sealer: Sealer): ReadonlyMap<Id, StoredSnapshot> {
    this.#known ??= this.#read(sealer) ?? new Map();
    return this.#known;
  }

  /** `snapshots`: all that there are now, oldest first; the others are forgotten. */
  remember(snapshots: readonly StoredSnapshot[], sealer: Sealer): void {
    const before = this.recall(sealer);
    const added = snapshots.reduce((count, { id }) => count + Number(!before.has(id)), 0);
    const gone = before.size + added - snapshots.length;
    if (added + gone === 0) return;
    this.#known = new Map(snapshots.map((snapshot) => [snapshot.id, snapshot]));
    this.#unwritten += added + gone;
    // Writing takes longer than reading a few: a backup into a large repository must not pay for all its snapshots.
    if (this.#unwritten * SHARE_READ_AGAIN < snapshots.length) return;
    this.#write(snapshots, sealer);
    this.#unwritten = 0;
  }

  #read(sealer: Sealer): Map<Id, StoredSnapshot> | undefined {
    try {
      const plaintext = sealer.tryOpen(readFileSync(this.#path()));
      return plaintext === undefined ? undefined : decodeRows(decodeUnpacked(plaintext));
    } catch {
      return undefined;
    }
  }

  #write(snapshots: readonly StoredSnapshot[], sealer: Sealer): void {
    const { clock, directory, repositoryId } = this.#options;
    const temporary = `${this.#path()}.tmp`;
    try {
      openCacheDirectory(directory, repositoryId, clock);
      // What a killed process left goes. Should another be at it just now, this one's is as good.
      rmSync(temporary, { force: true });
      const rows = encodeRows(snapshots.toReversed(), CAPACITY);
      writeFileSync(temporary, sealer.seal(encodeUnpacked(2, rows, 'auto')), {
        flag: 'wx',
        mode: 0o600,
      });
      renameSync(temporary, this.#path());
    } catch {
      // The disk is full, or not ours to write to, or another process was quicker.
    }
  }

  #path(): string {
    return join(this.#options.directory, this.#options.repositoryId, 'snapshots');
  }
}

/** One part in so many may be read anew each time. */
const SHARE_READ_AGAIN = 256;
/** Characters of JSON, some 400,000 snapshots; older ones are read each time. */
const CAPACITY = 128 * 1024 * 1024;
