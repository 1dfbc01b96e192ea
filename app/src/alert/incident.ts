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
