import type { StoredSnapshot } from '../../format/types.ts';
import type { Clock, Random } from '../../kernel/clock.ts';
import type { Id } from '../../kernel/id.ts';
import type { CheckFinding, ReadData } from '../../repository/check/report.ts';

export interface CopyOptions {
  readonly clock: Clock;
  /** Draws the packs that are read back. */
  readonly random: Random;
  /** Of the source, in the order in which they are copied. */
  readonly snapshots: readonly StoredSnapshot[];
  /** Finds out everything and writes nothing. */
  readonly dryRun?: boolean;
  /** How much of what was written is read back from the target, authenticated and hashed; nothing unless said. */
  readonly verify?: ReadData;
  /** Bytes at which a pack is finished; 16 MiB as restic has it. */
  readonly packSize?: number;
  /** As many as the machine has cores unless said. */
  readonly threads?: number;
  /** How long to go on asking while somebody holds the target exclusively, in milliseconds. */
  readonly retryLockFor?: number;
  readonly onProgress?: (progress: CopyProgress) => void;
  /** Aborts as well when the lock on the source is lost: that one is the caller's. */
  readonly signal: AbortSignal;
}

/** Trees of the source while planning; else bytes, of blobs as the source keeps them or of packs that are read back. */
export interface CopyProgress {
  readonly phase: 'plan' | 'copy' | 'verify';
  readonly done: number;
  readonly total?: number;
  /** Saved so far. */
  readonly snapshots: number;
  readonly totalSnapshots: number;
}

export interface CopyReport {
  /** In the target now, or to be copied when nothing was to be written. */
  readonly copied: readonly { readonly from: StoredSnapshot; readonly to?: Id }[];
  /** Were in the target already. */
  readonly present: readonly { readonly from: StoredSnapshot; readonly to: Id }[];
  /** Left out, since the source cannot give all that they need; a finding says what for each. */
  readonly damaged: readonly StoredSnapshot[];
  readonly findings: readonly CheckFinding[];
  /** What the target lacked; bytes as the source keeps them. */
  readonly blobs: number;
  readonly bytes: number;
  /** What was read back. */
  readonly verified: { readonly packs: number; readonly bytes: number };
}
