import type { Work } from '../cli/command-frame.ts';
import type { Planned } from '../cli/planned.ts';

/** What the engine does in one go, asking in between: it holds its lock while somebody reads the plan. */
export interface AgreedWork<Plan, Result> {
  run(approve: (plan: Plan) => Promise<boolean>): Promise<Result>;
  /** What is given back in the end, whatever happens. */
  readonly opening: AsyncDisposableStack;
}

/** Resolves with the plan as soon as the engine asks; it goes on when the plan is executed, and stops otherwise. */
export async function planAgreed<Plan, Result, Outcome>(
  { run, opening }: AgreedWork<Plan, Result>,
  outcomeOf: (result: Result, work: Work) => Outcome,
): Promise<Planned<Plan, Outcome>> {
  const planned = Promise.withResolvers<Plan>();
  const approved = Promise.withResolvers<boolean>();
  const running = run((plan) => {
    planned.resolve(plan);
    return approved.promise;
  });
  running.catch(planned.reject);
  const plan = await planned.promise;
  const open = opening.move();
  return {
    plan,
    async execute(work) {
      approved.resolve(true);
      return outcomeOf(await running, work);
    },
    async [Symbol.asyncDispose]() {
      await using _ = open;
      approved.resolve(false);
      // Who called execute has heard of its failure.
      await running.catch(() => undefined);
    },
  };
}
