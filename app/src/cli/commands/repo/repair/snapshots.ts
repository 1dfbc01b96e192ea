import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import {
  accessFor,
  endWritingCommand,
  newCommand,
  present,
  type Work,
  withProgress,
} from '../../../command-frame.ts';
import type { Context } from '../../../context.ts';
import { formatCounted } from '../../../format.ts';
import type { Planned } from '../../../planned.ts';
import {
  renderSnapshotRepair,
  renderSnapshotRepairPlan,
  type SnapshotRepairOutcome,
  type SnapshotRepairView,
  snapshotRepairRecords,
} from '../../../render/snapshot-repair.ts';
import type { RepositoryAccess } from '../../../repository-options.ts';
import { addSnapshotFilter, type SnapshotFilter } from '../../../snapshot-filter.ts';

interface SnapshotRepairOptions extends SnapshotFilter {
  readonly forget?: true;
  readonly readData?: true;
  readonly dryRun?: true;
}

export interface SnapshotRepairRequest extends SnapshotRepairOptions {
  /** Exactly these; all that pass the filter when none is named. */
  readonly snapshots: readonly string[];
}

export type PlanSnapshotRepair = (
  access: RepositoryAccess,
  request: SnapshotRepairRequest,
  work: Work,
) => Promise<Planned<SnapshotRepairView, SnapshotRepairOutcome>>;

export function define(parent: Command, context: Context, planSnapshotRepair: PlanSnapshotRepair): void {
  const command = newCommand(parent, {
    usage: 'snapshots [point...]',
    summary: 'make points without what is lost',
    description:
      'Makes of each point that lost something a new one without it, with the tag repaired, and lists all that is ' +
      'lost. The damaged points stay, in case that a copy turns up. Try repair --from and --from-files first.',
    examples: [
      ['holdfast repo repair snapshots --dry-run', 'list exactly what is lost'],
      [
        'holdfast repo repair snapshots --forget',
        'and forget the damaged points: then check is content again',
      ],
    ],
  });
  command
    .option('--forget', 'remove the damaged points once the new ones are saved')
    .option('--read-data', 'read every byte to find damage; otherwise only what looks wrong from outside')
    .option('-n, --dry-run', 'change nothing, only show what is lost');
  addSnapshotFilter(command);
  endWritingCommand(command).action(async (snapshots: string[]) => {
    const request = { ...command.opts<SnapshotRepairOptions>(), snapshots };
    const access = await accessFor(command, context);
    await using planned = await withProgress(command, context, (work) =>
      planSnapshotRepair(access, request, work),
    );
    const { plan } = planned;
    const view = {
      lines: renderSnapshotRepairPlan.bind(null, plan),
      records: () => snapshotRepairRecords(plan),
    };
    present(command, context, view, 'answer');
    if (request.dryRun !== true && plan.salvaged.length > 0) {
      const outcome = await withProgress(command, context, (work) => planned.execute(work));
      const result = {
        lines: renderSnapshotRepair.bind(null, outcome),
        records: () => [{ type: 'summary', ...outcome }],
      };
      present(command, context, result, 'confirmation');
    }
    const hopeless = plan.hopeless.length + plan.findings.length;
    if (hopeless > 0) {
      throw new Failure(
        'repository.damaged',
        `of ${formatCounted(hopeless, 'point')} nothing can be salvaged`,
        {
          hint: 'They stay as they are. A copy of the repository may have what leads to their files: repair --from.',
        },
      );
    }
  });
}
