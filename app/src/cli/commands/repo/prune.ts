import type { PrunePlan } from '@holdfast/engine';
import type { Command } from 'commander';
import { endWritingCommand, newCommand, type Work } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import type { Planned } from '../../planned.ts';
import { runPlanned } from '../../planned-command.ts';
import { addPruneOptions, type PruneOptions } from '../../prune-options.ts';
import {
  type PruneOutcome,
  prunePlanRecord,
  renderPruneOutcome,
  renderPrunePlan,
} from '../../render/prune-plan.ts';
import type { RepositoryAccess } from '../../repository-options.ts';

export interface PruneCommandOptions extends PruneOptions {
  readonly dryRun?: true;
}

export type PlanPrune = (
  access: RepositoryAccess,
  options: PruneCommandOptions,
  work: Work,
) => Promise<Planned<PrunePlan, PruneOutcome>>;

export function define(parent: Command, context: Context, planPrune: PlanPrune): void {
  const command = newCommand(parent, {
    usage: 'prune',
    summary: 'free the space of what no snapshot needs',
    description:
      'Frees the data that no snapshot refers to, beside backups and restores: what nobody needs is marked, and ' +
      'removed by a prune that comes 23 hours later or more, so that a forget can be undone until then. It can be ' +
      'interrupted at any moment.',
    examples: [
      ['holdfast repo prune --dry-run', 'show what would become free'],
      ['holdfast repo prune --max-unused 10%', 'rewrite less, keep a little more'],
      ['holdfast repo prune --max-repack-size 5G', 'in small portions, night by night'],
      ['holdfast repo prune --instant-delete', 'free the space now, while nobody works here'],
    ],
  });
  command.option('-n, --dry-run', 'change nothing, only show the plan');
  addPruneOptions(command);
  endWritingCommand(command).action(async () => {
    const options = command.opts<PruneCommandOptions>();
    await runPlanned(command, context, {
      plan: (access, work) => planPrune(access, options, work),
      dryRun: options.dryRun === true,
      showPlan: (plan) => ({
        lines: () => renderPrunePlan(plan, context.timeZone),
        records: () => [prunePlanRecord(plan)],
      }),
      isIdle: ({ idle }) => idle,
      showOutcome: (outcome) => ({
        lines: renderPruneOutcome.bind(null, outcome),
        records: () => [{ type: 'summary', ...outcome }],
      }),
    });
  });
}
