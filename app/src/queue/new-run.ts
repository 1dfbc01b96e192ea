import type { Run, RunKind } from '../catalog/records.ts';

/** A run as it is asked for. */
export interface NewRun {
  readonly kind: RunKind;
  /** Name of the source, repository or copy. */
  readonly about: string;
  /** Names of the repositories that it works on, for the limits. */
  readonly repositories: readonly string[];
  readonly cause: Run['cause'];
  readonly dueAt: number;
  /** Milliseconds since the epoch: not before then, however much room there is. */
  readonly notBefore?: number;
  /** For whoever decides which run may start: higher goes first. */
  readonly priority: number;
  /** 1, 2, 3, …: a failed run that is tried again is a new run with the next number. */
  readonly attempt: number;
  readonly steps: readonly NewStep[];
}

export interface NewStep {
  /** `hook before 1`, `snapshot`, `prune`, … */
  readonly name: string;
  /** What its worker is told: JSON, without secrets. */
  readonly order: unknown;
  readonly runs: 'when all is well' | 'after a failure' | 'always';
  /** Never done twice: when nobody knows how it ended, it is `unknown` and not tried again. */
  readonly once: boolean;
  /** Whether the run has failed when this step has, or when nobody knows. */
  readonly decides: boolean;
}

/** What the limits need to know of a run that has not ended. */
export interface UnfinishedRun {
  readonly id: string;
  readonly kind: RunKind;
  readonly about: string;
  readonly repositories: readonly string[];
  readonly priority: number;
  readonly dueAt: number;
  readonly queuedAt: number;
}

/** How a step ended. */
export interface StepOutcome extends Pick<Run, 'result' | 'failure'> {
  readonly state: 'done' | 'failed' | 'skipped';
  /** Done, but not with everything: a file could not be read, a finding came up. */
  readonly incomplete?: boolean;
}
