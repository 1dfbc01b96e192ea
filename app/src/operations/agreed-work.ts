import type { Work } from '../cli/command-frame.ts';
import type { Planned } from '../cli/planned.ts';

/** What the engine does in one go, asking in between: it holds its lock while somebody reads the plan. */
export interface AgreedWork<Plan, Result> {
  run(approve: (plan: Plan) => Promise<boolean>, progress: Work['progress']): Promise<Result>;
  /** Where it is told how planning goes; what follows is told where it is executed. */
  readonly progress: Work['progress'];
  /** What is given back in the end, whatever happens. */
  readonly opening: AsyncDisposableStack;
}

/** Resolves with the plan as soon as the engine asks; it goes on when the plan is executed, and stops otherwise. */
export async function planAgreed<Plan, Result, Outcome>(
  { run, progress, opening }: AgreedWork<Plan, Result>,
  outcomeOf: (result: Result, work: Work) => Outcome,
): Promise<Planned<Plan, Outcome>> {
  const planned = Promise.withResolvers<Plan>();
  const approved = Promise.withResolvers<boolean>();
  let display = progress;
  const running = run(
    (plan) => {
      planned.resolve(plan);
      return approved.promise;
    },
    { watch: (sample) => display.watch(sample), note: (...line) => display.note(...line) },
  );
  running.catch(planned.reject);
  const plan = await planned.promise;
  const open = opening.move();
  return {
    plan,
    async execute(work) {
      display = work.progress;
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
