import { Failure, type RepairPlan } from '@holdfast/engine';
import type { Command } from 'commander';
import type { Work } from './command-frame.ts';
import type { Context } from './context.ts';
import { formatCounted } from './format.ts';
import { globalOptionsOf } from './global-options.ts';
import type { Planned } from './planned.ts';
import { runPlanned } from './planned-command.ts';
import {
  errorsOf,
  type RepairOutcome,
  renderRepairOutcome,
  renderRepairPlan,
  repairPlanRecords,
} from './render/repair-plan.ts';
import {
  choosePassword,
  type RepositoryAccess,
  type RepositoryFlags,
  resolveAccess,
} from './repository-options.ts';
import { SOURCE_SIDE } from './source-options.ts';

export interface RepairRequest {
  /** Only the index, or the blobs too. */
  readonly scope: 'index' | 'all';
  /** Read the header of every pack. */
  readonly readAll: boolean;
  /** Read every byte of every pack. */
  readonly readData: boolean;
  /** Other repositories that may have what is lost. */
  readonly from: readonly RepositoryAccess[];
  /** Look at the original files: where the snapshots say they were, or below another directory. */
  readonly fromFiles?: true | string;
}

export type PlanRepair = (
  access: RepositoryAccess,
  request: RepairRequest,
  work: Work,
) => Promise<Planned<RepairPlan, RepairOutcome>>;

/** Prints the plan, executes it unless it is a dry run, and fails when something stays lost. */
export async function runRepair(
  command: Command,
  context: Context,
  planRepair: PlanRepair,
  request: RepairRequest,
): Promise<void> {
  const dryRun = command.opts<{ readonly dryRun?: true }>().dryRun === true;
  const { plan, outcome } = await runPlanned(command, context, {
    plan: (access, work) => planRepair(access, request, work),
    dryRun,
    showPlan: (shown) => ({
      lines: renderRepairPlan.bind(null, shown),
      records: () => repairPlanRecords(shown),
    }),
    kindOf: (shown) => (dryRun || errorsOf(shown) > 0 ? 'answer' : 'confirmation'),
    isIdle: ({ idle }) => idle,
    showOutcome: (done) => ({
      lines: renderRepairOutcome.bind(null, done),
      records: () => [{ type: 'summary', ...done }],
    }),
  });
  if (outcome !== undefined && outcome.refused > 0) {
    throw stillLost(`${formatCounted(outcome.refused, 'piece')} could not be fetched`);
  }
  if (errorsOf(plan) > 0) throw stillLost(lossOf(plan));
}

interface FromFlags extends RepositoryFlags {
  readonly from?: readonly string[];
  readonly fromPasswordFile?: string;
  readonly fromPasswordCommand?: string;
}

/** The other repositories. Without a password of their own they are opened with the one of the damaged repository. */
export async function fromAccesses(command: Command, context: Context): Promise<RepositoryAccess[]> {
  const {
    repositoryFile: _,
    from = [],
    fromPasswordFile,
    fromPasswordCommand,
    ...flags
  } = command.opts<FromFlags>();
  const { passwordFile: __, passwordCommand: ___, ...common } = flags;
  const own = {
    ...(fromPasswordFile === undefined ? {} : { passwordFile: fromPasswordFile }),
    ...(fromPasswordCommand === undefined ? {} : { passwordCommand: fromPasswordCommand }),
  };
  const hasOwn = choosePassword(own, context.environment, SOURCE_SIDE) !== undefined;
  const globals = globalOptionsOf(command);
  const accesses: RepositoryAccess[] = [];
  for (const repo of from) {
    accesses.push(
      hasOwn
        ? await resolveAccess({ ...common, ...own, repo }, globals, context, 'open', SOURCE_SIDE)
        : await resolveAccess({ ...flags, repo }, globals, context),
    );
  }
  return accesses;
}

function lossOf({ index, blobs }: RepairPlan): string {
  if (blobs === undefined) return formatCounted(index.findings.length, 'pack has', 'packs have');
  return `${formatCounted(blobs.lost.length, 'piece')} that points need cannot be brought back from anywhere`;
}

function stillLost(message: string): Failure {
  return new Failure('repository.damaged', message, {
    hint:
      'Another copy of the repository, or the original files, may have them: --from, --from-files. Otherwise ' +
      'holdfast repo repair snapshots makes points of what is left.',
  });
}
