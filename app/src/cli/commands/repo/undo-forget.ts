import type { Command } from 'commander';
import type { Work } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { formatCounted } from '../../format.ts';
import type { Planned } from '../../planned.ts';
import { runPlanned } from '../../planned-command.ts';
import { renderUndoPlan, type UndoPlan, undoPlanRecord } from '../../render/undo-plan.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { signs } from '../../style.ts';

export interface UndoRequest {
  /** Bring back exactly these; those of the last forgetting when there are none. */
  readonly snapshots: readonly string[];
  readonly dryRun?: true;
}

export interface UndoOutcome {
  readonly broughtBack: number;
}

export type PlanUndo = (
  access: RepositoryAccess,
  request: UndoRequest,
  work: Work,
) => Promise<Planned<UndoPlan, UndoOutcome>>;

/** `forget --undo`. */
export async function undoForget(
  command: Command,
  context: Context,
  request: UndoRequest,
  planUndo: PlanUndo,
): Promise<void> {
  await runPlanned(command, context, {
    plan: (access, work) => planUndo(access, request, work),
    dryRun: request.dryRun === true,
    showPlan: (plan) => ({
      lines: (_, width) =>
        renderUndoPlan(plan, { now: context.clock.now(), timeZone: context.timeZone, width }),
      records: () => [undoPlanRecord(plan)],
    }),
    showOutcome: (outcome) => ({
      lines: (style) => [
        `${style.good(signs.good)} Brought back ${formatCounted(outcome.broughtBack, 'point')}`,
      ],
      records: () => [{ type: 'summary', ...outcome }],
    }),
  });
}
