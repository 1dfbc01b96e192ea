import type {
  JournalState,
  OpenFinding,
  Point,
  RecoveryWindow,
  RepositorySize,
  Run,
  RunKind,
} from '../catalog/records.ts';

/**
 * What is known at a moment, for the judge. What is absent is not known, which is never good: so a list that was not
 * read is undefined, and one that was read and is empty is empty. Times are milliseconds since the epoch.
 */
export interface Facts {
  /** The last sign of life of the control plane. */
  readonly beat?: number;
  /** One for each source at each repository that was looked at, with zero points too. */
  readonly holdings: readonly Holding[];
  readonly windows?: readonly RecoveryWindow[];
  readonly journals: readonly JournalState[];
  /** One for each kind of work of each source, copy and repository. */
  readonly work: readonly WorkFacts[];
  /** Series, in any order. */
  readonly sizes: readonly RepositorySize[];
  readonly checks: readonly CheckFacts[];
  readonly retentions: readonly RetentionFacts[];
  readonly findings?: readonly OpenFinding[];
  readonly channels?: readonly ChannelHealth[];
  /** Where the policy does not say whether a spool shares the source's host: what was found out. */
  readonly spools: readonly { readonly source: string; readonly onSourceHost: boolean }[];
}

/** What a repository holds of a source. Counted are snapshots and bases: what can be restored alone. */
export interface Holding {
  readonly repository: string;
  readonly source: string;
  /** When the repository was last asked, or written to by us. */
  readonly seenAt: number;
  readonly points: number;
  readonly oldest?: number;
  readonly newest?: Point;
  /** Complete, and no open finding touches it. */
  readonly newestGood?: Point;
}

export interface WorkFacts {
  readonly kind: RunKind;
  /** Name of the source, copy or repository. */
  readonly about: string;
  /** Since when the policy asks for it. */
  readonly knownSince: number;
  /** The occurrences of its schedule around now, with its jitter; absent for what has no schedule of its own. */
  readonly previousDue?: number;
  readonly nextDue?: number;
  /** The newest that has ended. */
  readonly last?: Run;
  /** Waits or runs now; a retry that waits for its time is one as well. */
  readonly open?: Run;
  /** Milliseconds that it usually takes. */
  readonly usual?: number;
}

export interface CheckFacts {
  readonly repository: string;
  /** When the structure was last found whole, or damaged: looked at. */
  readonly structureAt?: number;
  /** How much of the data (0…1) was read back since when. */
  readonly dataRead?: { readonly fraction: number; readonly since: number };
}

export interface RetentionFacts {
  readonly repository: string;
  readonly at: number;
  /** Why nothing was removed although it was time. */
  readonly skipped?: string;
}

/** How the deliveries of a channel go. */
export interface ChannelHealth {
  readonly channel: string;
  readonly waiting: number;
  readonly lastDeliveredAt?: number;
  /** Since when none has got through. */
  readonly failingSince?: number;
  readonly lastError?: string;
  /** Messages that were given up after a day. */
  readonly givenUp: number;
}
