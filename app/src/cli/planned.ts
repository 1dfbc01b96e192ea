import type { Work } from './command-frame.ts';

/**
 * Destructive work that was thought through but not done: the plan is printed first, then executed at most once.
 * Whoever asked for it disposes of it, which gives back locks and connections.
 */
export interface Planned<Plan, Outcome> extends AsyncDisposable {
  readonly plan: Plan;
  execute(work: Work): Promise<Outcome>;
}
