import type { Ending } from './program.ts';

type Count = Record<Ending['how'], number>;

/** What came of the actions, in counts that add up over rounds. */
export class Counts {
  readonly byAction = new Map<string, Count>();
  readonly mishaps = new Map<string, number>();
  /** Packs that prunes of ours marked and removed. */
  marked = 0;
  removed = 0;
  /** Snapshots restored in full and compared. */
  restores = 0;
  checks = 0;
  resticChecks = 0;
  rounds = 0;

  count(name: string, how: Ending['how']): void {
    const counts = this.byAction.get(name) ?? { 'done': 0, 'gave up': 0, 'killed': 0, 'crashed': 0 };
    counts[how] += 1;
    this.byAction.set(name, counts);
  }

  done(name: string): number {
    return this.byAction.get(name)?.done ?? 0;
  }
}
