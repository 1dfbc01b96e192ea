import type { Severity } from '../policy/model.ts';

/**
 * Something that is wrong now, as the judge sees it: asked for again at each tick, so that what no longer comes is over.
 * Built by `status/`, told by `alert/`.
 */
export interface Problem {
  /** The same for the same trouble as long as it lasts: `source media: run failed`. Never holds a time or a number that moves. */
  readonly key: string;
  readonly severity: Severity;
  /** Name of the source, repository or copy; `holdfast` for the control plane itself. */
  readonly about: string;
  /** Stable, for scripts: `run.failed`, `run.missed`, `rpo.exceeded`, `journal.gap`, `repository.filling`, … */
  readonly code: string;
  /** One sentence: what is wrong. */
  readonly message: string;
  /** One sentence: what happens next by itself, or what to look at. */
  readonly hint?: string;
  /** Milliseconds since the epoch: since when. */
  readonly since: number;
}

/** A problem with its history: what is remembered between ticks. */
export interface Incident extends Problem {
  /** The same from its opening to its end, and while it flaps: what a thread of e-mails hangs on. */
  readonly id: string;
  /** When we saw it first, or first again after its end was told. */
  readonly appearedAt: number;
  /** Who knows of it. Empty again when everybody has been told that it is over. */
  readonly told: readonly Telling[];
  /** Since when it is no longer there. */
  readonly goneAt?: number;
  /** When its end was told. */
  readonly resolvedAt?: number;
  /** How often it came back soon after its end was told: the more often, the longer we wait before we say so again. */
  readonly returns: number;
}

/** The last time that a channel was told of an incident. */
export interface Telling {
  readonly channel: string;
  readonly at: number;
  /** What was said then. */
  readonly severity: Severity;
}
