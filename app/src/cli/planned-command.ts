import type { Command } from 'commander';
import { accessFor, type Presentation, present, type Work, withProgress } from './command-frame.ts';
import { type ConsentRequest, requireConsent } from './consent.ts';
import type { Context } from './context.ts';
import type { Planned } from './planned.ts';
import type { RepositoryAccess } from './repository-options.ts';

/** What `--quiet` leaves out, and what was asked for. */
type Kind = 'answer' | 'confirmation';

/** What the commands that plan before they act do each in their own way. */
export interface PlannedCommand<Plan, Outcome> {
  readonly plan: (access: RepositoryAccess, work: Work) => Promise<Planned<Plan, Outcome>>;
  /** The plan is the answer, and nothing is done. */
  readonly dryRun: boolean;
  /** Undefined for a plan that needs no telling. */
  readonly showPlan: (plan: Plan) => Presentation | undefined;
  /** Of a plan that is told; by default what was asked for is a dry run, and what has to be agreed to. */
  readonly kindOf?: (plan: Plan) => Kind;
  /** Whether there is nothing to do. */
  readonly isIdle?: (plan: Plan) => boolean;
  /** What has to be agreed to, if anything is lost. */
  readonly consent?: (plan: Plan) => ConsentRequest | undefined;
  readonly showOutcome: (outcome: Outcome) => Presentation;
  readonly outcomeKind?: (outcome: Outcome) => Kind;
}

/** Plans, prints the plan, has it agreed to, executes it once and prints what happened; the outcome only if it was done. */
export async function runPlanned<Plan, Outcome>(
  command: Command,
  context: Context,
  frame: PlannedCommand<Plan, Outcome>,
): Promise<{ readonly plan: Plan; readonly outcome?: Outcome }> {
  const access = await accessFor(command, context);
  await using planned = await withProgress(command, context, (work) => frame.plan(access, work));
  const { plan } = planned;
  const consent = frame.consent?.(plan);
  const shown = frame.showPlan(plan);
  if (shown !== undefined) {
    const usual: Kind = frame.dryRun || consent !== undefined ? 'answer' : 'confirmation';
    present(command, context, shown, frame.kindOf?.(plan) ?? usual);
  }
  if (frame.dryRun || frame.isIdle?.(plan) === true) return { plan };
  if (consent !== undefined) await requireConsent(consent, context);
  const outcome = await withProgress(command, context, (work) => planned.execute(work));
  present(command, context, frame.showOutcome(outcome), frame.outcomeKind?.(outcome) ?? 'confirmation');
  return { plan, outcome };
}
