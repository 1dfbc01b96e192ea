import { Failure, type StoredSnapshot } from '@holdfast/engine';
import type { Command } from 'commander';
import {
  accessFor,
  endWritingCommand,
  newCommand,
  present,
  type Work,
  withProgress,
} from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { formatCounted } from '../../format.ts';
import { parsePositive } from '../../option-values.ts';
import { type CopyResult, copyRecords, renderCopy } from '../../render/copy-summary.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addSnapshotFilter, type SnapshotFilter } from '../../snapshot-filter.ts';
import { addSourceOptions, sourceAccessFor } from '../../source-options.ts';
import { type DataSubset, parseDataSubset } from './check.ts';

export interface CopyOptions extends SnapshotFilter {
  readonly dryRun?: true;
  readonly verifySample?: DataSubset;
  /** KiB/s. */
  readonly limitUpload?: number;
  readonly limitDownload?: number;
}

export interface CopyRequest extends CopyOptions {
  /** Ids of the source, their beginnings or `latest`; none for all that pass the filter. */
  readonly snapshots: readonly string[];
  /** Of those found, the ones to be copied, beside what the target has. All of them where it is absent. */
  readonly choose?: (
    found: readonly StoredSnapshot[],
    there: readonly StoredSnapshot[],
  ) => Promise<readonly StoredSnapshot[]>;
}

/** Resolves also when snapshots were left out since the source has lost something of them. */
export type CopySnapshots = (
  target: RepositoryAccess,
  source: RepositoryAccess,
  request: CopyRequest,
  work: Work,
) => Promise<CopyResult>;

export function define(parent: Command, context: Context, copySnapshots: CopySnapshots): void {
  const command = newCommand(parent, {
    usage: 'copy [snapshot...]',
    summary: 'copy snapshots from another repository',
    description:
      'Copies snapshots from the repository --from-repo to the repository --repo, each with its own password. What ' +
      'is there already is not copied again, so the same command goes on after an interruption, and brings what is ' +
      'new every night. All that is read is verified. For both to share what they have in common with later backups, ' +
      'make the target with "holdfast repo init --from-repo … --copy-chunker-params".',
    examples: [
      ['holdfast repo copy --from-repo /srv/backup --repo s3:https://s3.example.org/copy', 'all that is new'],
      ['holdfast repo copy --from-repo /srv/backup --repo /mnt/usb --tag postgres', 'only some'],
      ['holdfast repo copy latest --host db-2 --from-repo … --repo … --dry-run', 'how much that would be'],
      ['holdfast repo copy --from-repo … --repo … --verify-sample 1%', 'reads some of it back afterwards'],
    ],
  });
  command
    .option('-n, --dry-run', 'write nothing, only say what would be copied')
    .option(
      '--verify-sample <part>',
      'read so much of what was written back and check it: x%, a size or n/t',
      parseDataSubset,
    )
    .option('--limit-upload <KiB/s>', 'write at most so much', parsePositive)
    .option('--limit-download <KiB/s>', 'read at most so much', parsePositive);
  addSnapshotFilter(command);
  addSourceOptions(command);
  endWritingCommand(command).action(async (snapshots: readonly string[]) => {
    const request = { ...command.opts<CopyOptions>(), snapshots };
    const source = await sourceAccessFor(command, context);
    // --no-lock is for a source where nothing may be written; the target is written to.
    const target = { ...(await accessFor(command, context)), lock: true };
    const result = await withProgress(command, context, (work) =>
      copySnapshots(target, source, request, work),
    );
    const isComplete = result.findings.every(({ severity }) => severity !== 'error');
    const view = {
      lines: renderCopy.bind(null, result, context.timeZone),
      records: () => copyRecords(result),
    };
    present(command, context, view, isComplete && request.dryRun !== true ? 'confirmation' : 'answer');
    failUnlessWhole(result);
  });
}

function failUnlessWhole({ findings }: CopyResult): void {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const leftOut = errors.filter(({ code }) => code.startsWith('copy.')).length;
  if (errors.length > leftOut) {
    throw new Failure('repository.damaged', 'the target does not hold what was written to it', {
      hint: 'Look at its storage, then run holdfast repo check --read-data on it.',
    });
  }
  if (leftOut > 0) {
    throw new Failure('incomplete', `${formatCounted(leftOut, 'snapshot')} could not be copied`, {
      hint: 'They are listed with what is missing. All others are in the target, whole.',
    });
  }
}
