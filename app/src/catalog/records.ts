import type { Finding } from '@holdfast/engine';

/**
 * What is known of a stack: rows as the rest of the program sees them. Times are milliseconds since the epoch, sizes
 * bytes. All of it but what is happening just now can be read from the repositories again.
 */

/** A snapshot as the control plane remembers it. */
export interface Point {
  readonly repository: string;
  readonly snapshot: string;
  /** The snapshot that it is a copy of, else its own id: the same at every place. */
  readonly original: string;
  readonly source: string;
  /**
   * `snapshot`: a tree that can be restored alone. `base`: one that a journal can follow. `slice`: a piece of a
   * journal. `evidence`: what was counted. `record`: our own ledger.
   */
  readonly kind: 'snapshot' | 'base' | 'slice' | 'evidence' | 'record';
  readonly time: number;
  /** Of a slice: what its piece covers; of a base: until when the journal must follow it. Absent where it is not known. */
  readonly covers?: { readonly from: number; readonly to: number };
  /** Of content, and what it added to the repository. */
  readonly bytes: number;
  readonly added: number;
  /** Complete: nothing was unreadable. */
  readonly complete: boolean;
}

/** Moments that can be restored, one stretch without a gap. */
export interface RecoveryWindow {
  readonly repository: string;
  readonly source: string;
  readonly from: number;
  readonly to: number;
}

export type RunKind = 'snapshot' | 'copy' | 'retention' | 'check' | 'verify' | 'survey';

/** One piece of work from its cause to its end. */
export interface Run {
  readonly id: string;
  readonly kind: RunKind;
  /** Name of the source, repository or copy. */
  readonly about: string;
  readonly cause: 'schedule' | 'missed' | 'retry' | 'person' | 'after snapshot' | 'gap';
  /** The moment of the schedule that it is for. */
  readonly dueAt: number;
  readonly queuedAt: number;
  /** While it waits: not before then, since it is tried again. */
  readonly notBefore?: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly attempt: number;
  readonly state: 'waiting' | 'running' | 'succeeded' | 'incomplete' | 'failed' | 'cancelled';
  /** What came out, for people and for the forecast. */
  readonly result?: RunResult;
  readonly failure?: RunFailure;
  readonly steps: readonly RunStep[];
}

export interface RunStep {
  readonly ordinal: number;
  /** `hook before 1`, `snapshot`, `copy`, `forget`, `prune`, `check`, … */
  readonly name: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'skipped' | 'unknown';
  readonly attempt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly result?: RunResult;
  readonly failure?: RunFailure;
}

export interface RunResult {
  readonly snapshots: readonly string[];
  readonly bytes: number;
  readonly added: number;
  readonly findings: readonly Finding[];
  /** One line for a person. */
  readonly summary: string;
}

/** A failure as it is kept: its code, what it said, never a secret. */
export interface RunFailure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** What a journal says of itself, by the beat. */
export interface JournalState {
  readonly source: string;
  readonly state: 'starting' | 'streaming' | 'waiting' | 'stopped';
  readonly seenAt: number;
  /** Everything before it is durable in the spool, in the repository. */
  readonly spoolMoment?: number;
  readonly repositoryMoment?: number;
  readonly since: number;
  readonly restarts: number;
  readonly failure?: RunFailure;
}

/** How full a place is, measured now and then. */
export interface RepositorySize {
  readonly repository: string;
  readonly at: number;
  readonly bytes: number;
  /** What the storage has left; absent where it cannot tell. */
  readonly free?: number;
}

/** A finding as long as it stands. */
export interface OpenFinding extends Finding {
  readonly repository: string;
  readonly source?: string;
  /** Snapshots that it touches; empty: not known which. */
  readonly snapshots: readonly string[];
  readonly foundAt: number;
  readonly seenAt: number;
}
