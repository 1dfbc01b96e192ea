import type { Clock, Random } from '../../kernel/clock.ts';
import type { Finding } from '../../kernel/finding.ts';

/**
 * Which packs are read in full: none, all, about so many per cent of them or so many bytes, drawn at random, or the
 * n-th of `of` fixed parts, so that `of` checks read everything once (restic's `--read-data-subset n/t`).
 */
export type ReadData =
  | 'none'
  | 'all'
  | { readonly percent: number }
  | { readonly n: number; readonly of: number }
  | { readonly bytes: number };

export interface CheckOptions {
  readonly clock: Clock;
  /** Draws the packs of a random part. */
  readonly random: Random;
  readonly readData?: ReadData;
  /** Verifying threads; one for each core otherwise. */
  readonly threads?: number;
  /** `false` for a place that cannot be written: nothing keeps others from removing files then. */
  readonly lock?: boolean;
  /** How long to go on asking while somebody holds the repository exclusively, in milliseconds. */
  readonly retryLockFor?: number;
  readonly onProgress?: (progress: CheckProgress) => void;
  readonly signal?: AbortSignal;
}

/** Counts of snapshots, packs, trees; of bytes while data are read. `total` once it is known. */
export interface CheckProgress {
  readonly phase: 'snapshots' | 'index' | 'packs' | 'trees' | 'data';
  readonly done: number;
  readonly total?: number;
}

/** A finding and what it costs. */
export interface CheckFinding extends Finding {
  readonly affected?: Affected;
}

export interface Affected {
  /** Paths in snapshots that cannot be restored whole; the same path in two snapshots counts twice. */
  readonly total: number;
  /** The first hundred, `snapshot 1a2b3c4d:/path`, newest snapshot first. */
  readonly paths: readonly string[];
}

export interface CheckReport {
  /** No error was found in what was checked; `unchecked` says what was not. */
  readonly sound: boolean;
  readonly findings: readonly CheckFinding[];
  readonly checked: Checked;
  /** Sentences: what this check cannot vouch for. Never empty unless every byte was read. */
  readonly unchecked: readonly string[];
  /** Blobs that no snapshot needs: what prune could remove. Bytes as stored. */
  readonly unused: { readonly blobs: number; readonly bytes: number };
}

export interface Checked {
  readonly keys: number;
  readonly snapshots: number;
  readonly indexFiles: number;
  readonly packs: number;
  readonly blobs: number;
  readonly trees: number;
  /** Packs read in full, each of their blobs authenticated, decrypted, decompressed and hashed. */
  readonly packsRead: number;
  readonly bytesRead: number;
}
