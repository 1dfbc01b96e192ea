/**
 * What a policy says, checked and with every default filled in: what `policy explain` prints and all the rest decides
 * from. Times are in milliseconds, sizes in bytes, rates in bytes a second. It holds references to secrets, never one.
 */
export interface Policy {
  /** What all of it protects, for people: one name. */
  readonly stack: string;
  /** IANA name; schedules and reports use it where they name none of their own. */
  readonly timezone: string;
  readonly repositories: readonly RepositoryPolicy[];
  readonly sources: readonly SourcePolicy[];
  readonly copies: readonly CopyPolicy[];
  readonly alerts: AlertPolicy;
  /** How much may happen at once, over all sources. */
  readonly limits: RunLimits;
}

/** Where a value is found that must not be written into a policy. More kinds can follow: a vault is one of them. */
export type SecretReference =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  /** A command line as a shell takes it; its standard output without the last newline. */
  | { readonly kind: 'command'; readonly command: string };

/** A value that may be written out or referred to: an address holds a login now and then. */
export type PlainOrSecret = { readonly kind: 'plain'; readonly text: string } | SecretReference;

export interface RepositoryPolicy {
  readonly name: string;
  /** In restic's notation. */
  readonly url: PlainOrSecret;
  readonly password: SecretReference;
  /** Ways to reach it, as `-o name=value` (`s3.region`, `sftp.connections`, …); secrets by reference. */
  readonly options: readonly { readonly name: string; readonly value: PlainOrSecret }[];
  /** Where it stands, in a person's words: two repositories with the same one do not survive the same fire. */
  readonly place: string;
  /** The same host or device as a source is accepted, by somebody who knows. */
  readonly sameHost: 'refused' | 'accepted';
  /** What the storage holds, where it cannot say so itself. */
  readonly capacity?: number;
  readonly limits: Rates;
  /** Forget and prune. */
  readonly retention: Schedule;
  /** Structure each time, and of the data so much that all of it is read once in `everything`. */
  readonly check: Schedule & { readonly everything: number };
}

export interface SourcePolicy {
  readonly name: string;
  readonly system: SystemPolicy;
  /** Name of the repository that it is saved to. */
  readonly repository: string;
  readonly snapshot: Schedule;
  /** Absent: snapshots only. */
  readonly journal?: JournalPolicy;
  readonly keep: KeepRules;
  readonly objective: Objective;
  readonly hooks: readonly Hook[];
  readonly limits: Rates;
  /** Nothing of it is removed while this stands. */
  readonly hold?: LegalHold;
  /** A failed run is tried again so often, waiting longer each time. */
  readonly retry: { readonly limit: number; readonly delay: number };
  /** The order in which sources come back. */
  readonly priority: 'P1' | 'P2' | 'P3';
}

/** What is protected. One kind a source; a new kind is a new member here and in `protect/`. */
export type SystemPolicy = FilesSystem | PostgresSystem;

export interface FilesSystem {
  readonly kind: 'files';
  /** Absolute. */
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly oneFileSystem: boolean;
}

export interface PostgresSystem {
  readonly kind: 'postgres';
  /** `postgres://…`, with or without its password. */
  readonly url: PlainOrSecret;
  readonly password?: SecretReference;
  /** Bytes a second that the server may send of a base. */
  readonly maxRate?: number;
  readonly checkpoint: 'fast' | 'spread';
  readonly evidence: boolean;
}

export interface JournalPolicy {
  /** Name of the replication slot. */
  readonly slot: string;
  /** Absolute; below the state directory where it is absent. */
  readonly spool?: string;
  /** The spool lies on the source's host: what is only there does not survive it. Absent: found out where it can be. */
  readonly spoolOnSourceHost?: boolean;
}

/** When something happens by itself. */
export interface Schedule {
  readonly when:
    | { readonly kind: 'cron'; readonly expression: string; readonly timezone: string }
    /** Counted from the beginning of the epoch, so that it does not wander. */
    | { readonly kind: 'every'; readonly interval: number }
    | { readonly kind: 'never' };
  /** Up to so much later, the same each time for the same name, so that not all begin at once. */
  readonly jitter: number;
  /** What was missed is done once as soon as possible, or waits for the next time. */
  readonly missed: 'once' | 'skip';
}

/** As restic's keep rules, plus `for`: all that is younger. A point is kept while one of them keeps it. */
export interface KeepRules {
  readonly for?: number;
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
}

export interface LegalHold {
  readonly reason: string;
  /** Milliseconds since the epoch; absent: until somebody takes it out of the policy. */
  readonly until?: number;
}

/** What was promised. An absent one was not. */
export interface Objective {
  /** Milliseconds of work that may be lost. */
  readonly rpo?: number;
  /** Milliseconds until it is back. */
  readonly rto?: number;
  /** Repositories that hold the newest point, and different places among them. */
  readonly copies?: number;
  readonly places?: number;
}

export interface CopyPolicy {
  /** `main → offsite`, unless the policy says otherwise. */
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Names; all of `from` where the policy names none. */
  readonly sources: readonly string[];
  /** After each snapshot, and for what a journal adds at least as often as its RPO needs; or by the clock. */
  readonly after: 'each snapshot' | Schedule;
  /** At the target; the source's own rules where absent. */
  readonly keep?: KeepRules;
  /** So much (0…1) is read back after each copy, all of it once in `everything`. */
  readonly verify: { readonly sample: number; readonly everything: number };
}

export interface Rates {
  readonly upload?: number;
  readonly download?: number;
  /** A second. */
  readonly requests?: number;
}

export interface RunLimits extends Rates {
  /** Runs at once: in all, for one source, on one repository. */
  readonly runs: number;
  readonly perSource: number;
  readonly perRepository: number;
}

export type Severity = 'critical' | 'warning' | 'info';

export interface AlertPolicy {
  readonly channels: readonly AlertChannel[];
  /** What belongs together within so long is one message. */
  readonly group: number;
  /** What is still wrong is said again after so long. */
  readonly repeat: number;
  /** Our own sign of life, asked for by a service that misses it. */
  readonly ping?: { readonly url: PlainOrSecret; readonly interval: number };
}

export type AlertChannel = {
  readonly name: string;
  /** And all that is worse. */
  readonly severity: Severity;
  /** Names of sources and repositories; everything where it is empty. */
  readonly about: readonly string[];
} & (
  | { readonly kind: 'slack'; readonly url: SecretReference }
  | { readonly kind: 'webhook'; readonly url: PlainOrSecret; readonly secret?: SecretReference }
  | {
      readonly kind: 'email';
      readonly to: readonly string[];
      readonly from: string;
      /** `smtp://` or `smtps://`, with or without a login. */
      readonly server: PlainOrSecret;
    }
);

/** A command of the user's around a run. */
export interface Hook {
  readonly when: 'before' | 'after' | 'on failure';
  readonly command: string;
  readonly timeout: number;
  /** A `before` that fails stops the run, unless it may. */
  readonly onError: 'stop' | 'go on';
}
