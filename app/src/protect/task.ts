import type { OpenFinding, Point, RecoveryWindow, RepositorySize, RunResult } from '../catalog/records.ts';
import type { Policy, Rates } from '../policy/model.ts';
import type { Ledger } from './record.ts';

/**
 * One thing that a worker does, by names of the policy: the policy of the moment comes with it, so that a task that
 * waited through a change of the policy is done by the new one.
 */
export type Task =
  | { readonly kind: 'snapshot'; readonly source: string }
  | { readonly kind: 'copy'; readonly copy: string }
  /** Reads back what a copy's target holds: this part of all of it. */
  | { readonly kind: 'verify'; readonly copy: string; readonly part: number; readonly of: number }
  | { readonly kind: 'forget'; readonly repository: string }
  | { readonly kind: 'prune'; readonly repository: string }
  /** Structure, and of the data this part of all of it. */
  | { readonly kind: 'check'; readonly repository: string; readonly part: number; readonly of: number }
  /** What is there, how much, and how much room is left. */
  | { readonly kind: 'survey'; readonly repository: string }
  /** Writes down there what only our memory knows. */
  | { readonly kind: 'record'; readonly repository: string }
  /** Runs until it is told to stop. */
  | { readonly kind: 'journal'; readonly source: string };

/** Name of a repository → what the task may use of it, a second. */
export type RatesAt = Readonly<Record<string, Rates>>;

/** What a worker is told. Secrets are not in it: it resolves the policy's references itself. */
export interface Order {
  readonly task: Task;
  readonly policy: Policy;
  /** Where spools and caches lie unless the policy says otherwise. Absolute. */
  readonly stateDirectory: string;
  /** Findings that are open: points that they touch count as no good ones. */
  readonly findings: readonly OpenFinding[];
  /** To begin with: its share of what the policy allows changes while others begin and end. */
  readonly rates: RatesAt;
  /** For `record` alone. */
  readonly ledger?: Ledger;
}

/** What came of a task, and what it changed in what is known of the repositories. */
export interface TaskOutcome {
  /** Done, but something is missing from it: files that could not be read, snapshots that could not be copied. */
  readonly incomplete: boolean;
  readonly result: RunResult;
  readonly added: readonly Point[];
  readonly removed: readonly { readonly repository: string; readonly snapshot: string }[];
  readonly survey?: RepositorySurvey;
  readonly examined?: Examination;
  /** Why nothing was removed although it was due. */
  readonly skipped?: string;
}

/** All that there is in a repository, as of one moment. */
export interface RepositorySurvey {
  readonly repository: string;
  readonly at: number;
  readonly points: readonly Point[];
  readonly windows: readonly RecoveryWindow[];
  readonly size: RepositorySize;
}

/** What a check looked at and what it found there: findings of before that it would have seen again are over. */
export interface Examination {
  readonly repository: string;
  readonly at: number;
  readonly findings: readonly OpenFinding[];
  /** Of the data, 0…1. */
  readonly share: number;
}

export const NOTHING_CHANGED = { incomplete: false, added: [], removed: [] } as const;
