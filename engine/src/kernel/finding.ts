/** Damage or doubt that a check found: data to act on, never an exception. */
export interface Finding {
  readonly severity: 'error' | 'warning' | 'note';
  /** Stable, for scripts and docs: `pack.blob-damaged`, `index.pack-missing`, … */
  readonly code: string;
  /** What it concerns: `pack 1a2b3c4d`, `snapshot 5e6f7a8b:/home/a.txt`. */
  readonly subject: string;
  /** One sentence: what is wrong. */
  readonly message: string;
  /** One sentence: what to do about it. */
  readonly hint?: string;
}
