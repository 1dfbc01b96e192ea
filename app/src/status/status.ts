import type { Problem } from '../alert/incident.ts';
import type { Objective, SystemPolicy } from '../policy/model.ts';

/**
 * `good`: every promise was looked at recently enough, and holds. `at risk`: all hold still, something is not as it
 * should be. `broken`: one does not hold. `unknown`: something that a promise depends on was not looked at.
 */
export type Verdict = 'good' | 'at risk' | 'unknown' | 'broken';

/** What the judge says of a stack at a moment. Times are milliseconds since the epoch, sizes bytes. */
export interface Status {
  readonly stack: string;
  readonly at: number;
  readonly timezone: string;
  /** The worst of all below. */
  readonly verdict: Verdict;
  readonly sources: readonly SourceStatus[];
  readonly copies: readonly CopyStatus[];
  readonly repositories: readonly RepositoryStatus[];
  readonly holdfast: Judged & { readonly beat?: number };
  /** All of them, worst first: what alerts are made of. */
  readonly problems: readonly Problem[];
}

export interface Judged {
  readonly verdict: Verdict;
  readonly problems: readonly Problem[];
  /** What could not be judged and why, a sentence each. */
  readonly unknown: readonly string[];
  /** What the verdict rests on, and when each was looked at. */
  readonly looked: readonly Look[];
}

export interface Look {
  readonly what: string;
  readonly at: number;
}

export interface SourceStatus extends Judged {
  readonly name: string;
  readonly kind: SystemPolicy['kind'];
  readonly objective: Objective;
  readonly exposure: Exposures;
  /** The newest stretch of moments that can be restored, at the source's own repository. */
  readonly window?: { readonly from: number; readonly to: number };
  readonly lastGood?: { readonly time: number; readonly snapshot: string };
  /** At the source's own repository. */
  readonly points?: number;
  readonly copies: Copies;
  readonly nextRun?: number;
  readonly runningSince?: number;
}

/** How much work would be lost if it happened now, in milliseconds, by what is left afterwards. */
export interface Exposures {
  /** Only where the spool does not share the source's host, and so survives it. */
  readonly spool?: number;
  /** The source's own repository. */
  readonly repository?: number;
  /** The worst of all repositories that are to hold it. */
  readonly farthest?: { readonly milliseconds: number; readonly repository: string };
  /** The best of them: what counts for the objective. */
  readonly best?: number;
}

export interface Copies {
  /** Repositories that hold the newest point, or are allowed not to hold it yet. */
  readonly have: number;
  readonly wanted: number;
  readonly places: readonly string[];
  readonly wantedPlaces: number;
}

export interface CopyStatus extends Judged {
  readonly name: string;
  readonly after: 'each snapshot' | 'schedule';
  /** Milliseconds between the newest good points here and there; of the source that is worst off. */
  readonly behind?: number;
  readonly nextRun?: number;
  readonly runningSince?: number;
}

export interface RepositoryStatus extends Judged {
  readonly name: string;
  readonly place: string;
  readonly bytes?: number;
  readonly free?: number;
  /** Bytes. */
  readonly growthPerDay?: number;
  /** Absent where it does not grow, or nobody can say how much there is room for. */
  readonly daysUntilFull?: number;
  readonly check: { readonly structureAt?: number; readonly dataRead?: number };
  readonly retentionAt?: number;
}
