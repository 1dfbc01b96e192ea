import type { Errand } from './errand.ts';
import type { Ending } from './errand-process.ts';

/** What a run came to, in counts that add up over rounds. */
export class Tally {
  steps = 0;
  repositories = 0;
  snapshots = 0;
  /** Snapshots restored in full and compared, and the entries in them. */
  restores = 0;
  entries = 0;
  checks = 0;
  resticChecks = 0;
  powerCuts = 0;
  /** Pieces of work by what they were, and how they ended. */
  readonly work = new Map<string, Record<Ending['how'], number>>();
  readonly mishaps = new Map<string, number>();

  count({ by, work, mishap }: Errand, { how }: Ending): void {
    const name = `${work.does} (${by})`;
    const counts = this.work.get(name) ?? { done: 0, failed: 0, killed: 0, crashed: 0 };
    counts[how] += 1;
    this.work.set(name, counts);
    if (mishap !== undefined) this.mishaps.set(mishap.kind, (this.mishaps.get(mishap.kind) ?? 0) + 1);
  }
}
