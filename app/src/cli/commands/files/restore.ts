import { Failure } from '@holdfast/engine';
import { type Command, Option } from 'commander';
import { endRepositoryCommand, newCommand, type Work } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { formatCounted } from '../../format.ts';
import { collect, parsePositive } from '../../option-values.ts';
import type { Planned } from '../../planned.ts';
import { type PlannedCommand, runPlanned } from '../../planned-command.ts';
import { type RestorePlan, renderRestorePlan, restorePlanRecord } from '../../render/restore-plan.ts';
import { type RestoreSummary, renderRestore, restoreRecord } from '../../render/restore-summary.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addSnapshotFilter, type SnapshotFilter } from '../../snapshot-filter.ts';
import type { Style } from '../../style.ts';

export interface RestoreOptions extends SnapshotFilter {
  readonly target: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly iinclude?: readonly string[];
  readonly iexclude?: readonly string[];
  readonly overwrite: 'always' | 'if-changed' | 'if-newer' | 'never';
  readonly delete?: true;
  /** The token of the plan that is agreed to. */
  readonly consent?: string;
  readonly dryRun?: true;
  readonly verify?: true;
  readonly sparse?: true;
  readonly salvage?: true;
  /** False with `--no-ownership`. */
  readonly ownership: boolean;
  /** KiB/s. */
  readonly limitDownload?: number;
  /** A second. */
  readonly limitRequests?: number;
}

export interface RestoreRequest extends RestoreOptions {
  /** An id, its beginning or `latest`, perhaps with `:folder` behind it. */
  readonly snapshot: string;
}

/** What is planned is the deletions; execution resolves also when single files could not be written. */
export type PlanRestore = (
  access: RepositoryAccess,
  request: RestoreRequest,
  work: Work,
) => Promise<Planned<RestorePlan, RestoreSummary>>;

export function define(parent: Command, context: Context, planRestore: PlanRestore): void {
  const command = newCommand(parent, {
    usage: 'restore <point>',
    summary: 'bring files back into a directory',
    description:
      'Brings the files of a point (see holdfast points) back into a directory. What is there already with the ' +
      'right content is not written again, so the same command goes on after an interruption. Nothing is ever ' +
      'written outside of the target.',
    examples: [
      ['holdfast files restore latest --target /tmp/back', 'everything, into a new place'],
      ['holdfast files restore 1a2b3c4d -t / -i /etc/nginx --overwrite if-changed', 'one folder, in place'],
      [
        'holdfast files restore latest:/home/ann -t /home/ann --delete --dry-run',
        'show what would be deleted to make it equal, and the token that agrees to it',
      ],
    ],
  });
  command
    .requiredOption('-t, --target <directory>', 'where to; made if it is not there')
    .option('-i, --include <pattern>', 'only what matches (several times)', collect)
    .option('-e, --exclude <pattern>', 'all but what matches (several times)', collect)
    .option('--iinclude <pattern>', 'like --include, upper and lower case alike', collect)
    .option('--iexclude <pattern>', 'like --exclude, upper and lower case alike', collect)
    .addOption(
      new Option('--overwrite <when>', 'write over files that are there')
        .choices(['always', 'if-changed', 'if-newer', 'never'])
        .default('always'),
    )
    .option('--delete', 'remove from the target what the point does not have: shows a plan, then asks')
    .option('--consent <token>', 'agree to the plan of that token instead of being asked')
    .option('-n, --dry-run', 'write nothing, only show what would happen')
    .option('--verify', 'read everything back afterwards and compare it')
    .option('--salvage', 'keep what there is of damaged files too, with zeros in the place of the rest')
    .option(
      '--sparse',
      'leave holes where files hold only zeros (always done, as scripts for restic have it)',
    )
    .option('--no-ownership', 'do not set owners and groups')
    .option('--limit-download <KiB/s>', 'fetch at most so much', parsePositive)
    .option('--limit-requests <n>', 'ask the storage at most so often a second', parsePositive);
  addSnapshotFilter(command);
  endRepositoryCommand(command).action(async (snapshot: string) => {
    const request = { ...command.opts<RestoreOptions>(), snapshot };
    refuseContradictions(request);
    const { outcome } = await runPlanned(command, context, frameOf(request, planRestore));
    if (outcome !== undefined) refuseToBeWhole(outcome);
  });
}

/**
 * Without deletions there is nothing to agree to: what is written over is chosen with `--overwrite`. A dry run goes through
 * the whole restore and writes nothing.
 */
function frameOf(
  request: RestoreRequest,
  planRestore: PlanRestore,
): PlannedCommand<RestorePlan, RestoreSummary> {
  const dryRun = request.dryRun === true;
  return {
    plan: (access, work) => planRestore(access, request, work),
    dryRun: false,
    showPlan: (plan) =>
      plan.deletions.length === 0
        ? undefined
        : {
            lines: (style: Style) => renderRestorePlan(plan, style, dryRun),
            records: () => [restorePlanRecord(plan)],
          },
    kindOf: ({ token }) => (request.consent === token && !dryRun ? 'confirmation' : 'answer'),
    consent: ({ deletions, target, token }) =>
      deletions.length === 0 || dryRun
        ? undefined
        : {
            loss: `${formatCounted(deletions.length, 'entry', 'entries')} of ${target} would be deleted`,
            token,
            given: request.consent,
          },
    showOutcome: (summary) => ({
      lines: renderRestore.bind(null, summary),
      records: () => [restoreRecord(summary)],
    }),
  };
}

/** What did not come back decides how it ends, whatever else did. */
function refuseToBeWhole({ failed, incomplete }: RestoreSummary): void {
  if (failed.length + incomplete.length === 0) return;
  const parts = [
    ...(failed.length === 0 ? [] : [`${formatCounted(failed.length, 'file')} could not be restored`]),
    ...(incomplete.length === 0 ? [] : [`${formatCounted(incomplete.length, 'file')} only in part`]),
  ];
  throw new Failure('incomplete', parts.join(', '), {
    hint: 'They are listed with the reason for each. The same command goes on with what is missing.',
  });
}

function refuseContradictions(request: RestoreRequest): void {
  const included = request.include !== undefined || request.iinclude !== undefined;
  const excluded = request.exclude !== undefined || request.iexclude !== undefined;
  if (request.consent !== undefined && request.delete !== true) {
    throw new Failure(
      'usage',
      '--consent agrees to what --delete would remove, and means nothing without it',
    );
  }
  if (included && excluded) {
    throw new Failure(
      'usage',
      '--include and --exclude contradict each other: say what you want, or what you do not',
    );
  }
}
