import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import { endWritingCommand, newCommand, type Work } from '../../../command-frame.ts';
import type { Context } from '../../../context.ts';
import { formatCounted } from '../../../format.ts';
import type { Planned } from '../../../planned.ts';
import { runPlanned } from '../../../planned-command.ts';
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
    const { plan } = await runPlanned(command, context, {
      plan: (access, work) => planSnapshotRepair(access, request, work),
      dryRun: request.dryRun === true,
      showPlan: (shown) => ({
        lines: renderSnapshotRepairPlan.bind(null, shown),
        records: () => snapshotRepairRecords(shown),
      }),
      kindOf: () => 'answer',
      isIdle: ({ salvaged }) => salvaged.length === 0,
      showOutcome: (outcome) => ({
        lines: renderSnapshotRepair.bind(null, outcome),
        records: () => [{ type: 'summary', ...outcome }],
      }),
    });
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
