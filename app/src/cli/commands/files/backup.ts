import { Failure } from '@holdfast/engine';
import { type Command, Option } from 'commander';
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
import { collect, collectLists, parseMoment, parsePositive, parseSize } from '../../option-values.ts';
import { type BackupSummary, backupRecord, renderBackup } from '../../render/backup-summary.ts';
import type { RepositoryAccess } from '../../repository-options.ts';

export interface BackupOptions {
  readonly exclude?: readonly string[];
  readonly iexclude?: readonly string[];
  readonly excludeFile?: readonly string[];
  readonly iexcludeFile?: readonly string[];
  readonly excludeCaches?: true;
  /** `filename[:header]` each. */
  readonly excludeIfPresent?: readonly string[];
  /** Bytes. */
  readonly excludeLargerThan?: number;
  readonly oneFileSystem?: true;
  readonly filesFrom?: readonly string[];
  readonly filesFromVerbatim?: readonly string[];
  readonly filesFromRaw?: readonly string[];
  readonly stdin?: true;
  readonly stdinFilename: string;
  readonly parent?: string;
  readonly force?: true;
  readonly tag?: readonly (readonly string[])[];
  readonly host?: string;
  /** Milliseconds since the epoch; now when absent. */
  readonly time?: number;
  readonly dryRun?: true;
  readonly ignoreInode?: true;
  readonly ignoreCtime?: true;
  readonly withAtime?: true;
  readonly readConcurrency?: number;
  readonly compression: 'auto' | 'off' | 'max';
  /** KiB/s. */
  readonly limitUpload?: number;
  /** KiB/s. */
  readonly limitDownload?: number;
  /** A second. */
  readonly limitRequests?: number;
  /** MiB. */
  /** 0–19, as nice(1) counts. */
  readonly nice?: number;
  /** False with `--no-scan`. */
  readonly scan: boolean;
}

export interface BackupRequest extends BackupOptions {
  readonly paths: readonly string[];
}

/** Resolves also when single files could not be read: they are in the summary. */
export type BackupFiles = (
  access: RepositoryAccess,
  request: BackupRequest,
  work: Work,
) => Promise<BackupSummary>;

export function define(parent: Command, context: Context, backupFiles: BackupFiles): void {
  const command = newCommand(parent, {
    usage: 'backup [path...]',
    summary: 'save files and directories as a new snapshot',
    description:
      'Saves files and directories as a new snapshot. What the repository has already is not stored again. ' +
      'Ends with 0 when all was saved, with 3 when a snapshot was written but some files could not be read. ' +
      'A path that is no UTF-8 cannot be given as a word on the command line, which arrives here as text: ' +
      'find … -print0 | holdfast files backup --files-from-raw - takes any.',
    examples: [
      ['holdfast files backup /home /etc --repo /srv/backup', 'a first backup, or the next one'],
      [
        'holdfast files backup ~ -e "*.tmp" -e node_modules --exclude-caches',
        'without what can be made again',
      ],
      ['holdfast files backup /home --dry-run', 'write nothing, only say how much it would be'],
      [
        'pg_dump shop | holdfast files backup --stdin --stdin-filename shop.sql',
        'what another program prints',
      ],
    ],
  });
  addChoiceOptions(command);
  addSnapshotOptions(command, context);
  addEffortOptions(command);
  endWritingCommand(command).action(async (paths: string[]) => {
    const request = { ...command.opts<BackupOptions>(), paths };
    refuseContradictions(request);
    const access = await accessFor(command, context);
    const summary = await withProgress(command, context, (work) => backupFiles(access, request, work));
    const view = { lines: renderBackup.bind(null, summary), records: () => [backupRecord(summary)] };
    present(command, context, view, 'confirmation');
    if (summary.unreadable.length > 0) {
      throw new Failure(
        'incomplete',
        `${formatCounted(summary.unreadable.length, 'file')} could not be read`,
        {
          hint: 'The snapshot is sound but lacks them. Make them readable or exclude them, then run it again.',
        },
      );
    }
  });
}

function addChoiceOptions(command: Command): void {
  command
    .optionsGroup('What is saved:')
    .option('-e, --exclude <pattern>', 'leave out what matches (several times)', collect)
    .option('--iexclude <pattern>', 'the same, upper and lower case alike', collect)
    .option('--exclude-file <file>', 'patterns from a file, one a line', collect)
    .option('--iexclude-file <file>', 'the same, upper and lower case alike', collect)
    .option('--exclude-caches', 'leave out directories marked by a CACHEDIR.TAG')
    .option('--exclude-if-present <name[:header]>', 'leave out directories that hold this file', collect)
    .option('--exclude-larger-than <size>', 'leave out files above this size, such as 500M', parseSize)
    .option('-x, --one-file-system', 'stay on the file systems of the given paths')
    .option('--files-from <file>', 'patterns of paths from a file, one a line', collect)
    .option('--files-from-verbatim <file>', 'paths from a file, one a line, taken as they are', collect)
    .option('--files-from-raw <file>', 'paths of any bytes from a file, each ended by a zero byte', collect)
    .option('--stdin', 'save what comes on standard input as one file')
    .option('--stdin-filename <name>', 'the name of that file', 'stdin');
}

function addSnapshotOptions(command: Command, context: Context): void {
  command
    .optionsGroup('The snapshot:')
    .option('--parent <snapshot>', 'compare with this one (default: the last of the same host and paths)')
    .option('-f, --force', 'compare with none: read every file again')
    .option('--tag <tags>', 'mark it with tags, comma separated (several times)', collectLists)
    .option('-H, --host <host>', 'the host it is of (default: this one)')
    .option('--time <time>', 'when it was taken (default: now)', parseMoment(context.timeZone))
    .option('-n, --dry-run', 'write nothing, only show what would be saved')
    .option('--ignore-inode', 'a new inode number is no change')
    .option('--ignore-ctime', 'a new change time is no change')
    .option('--with-atime', 'save access times as well');
}

function addEffortOptions(command: Command): void {
  command
    .optionsGroup('Load and speed:')
    .option('--read-concurrency <n>', 'read so many files at once', parsePositive)
    .addOption(
      new Option('--compression <mode>', 'how hard to compress new data')
        .choices(['auto', 'off', 'max'])
        .default('auto'),
    )
    .option('--limit-upload <KiB/s>', 'send at most so much', parsePositive)
    .option('--limit-download <KiB/s>', 'fetch at most so much', parsePositive)
    .option('--limit-requests <n>', 'ask the storage at most so often a second', parsePositive)
    .option('--nice <n>', 'give way to other programs, 1 to 19', parsePositive)
    .option('--no-scan', 'no effect: nothing is ever counted beforehand');
}

function refuseContradictions(request: BackupRequest): void {
  const lists = [request.filesFrom, request.filesFromVerbatim, request.filesFromRaw];
  const chosen = request.paths.length > 0 || lists.some((list) => list !== undefined);
  if (request.stdin === true && chosen) {
    throw new Failure('usage', '--stdin saves standard input alone: leave out the paths and lists');
  }
  if (request.stdin !== true && !chosen) {
    throw new Failure('usage', 'nothing to save was given', {
      hint: 'Name files or directories, or use --files-from or --stdin.',
    });
  }
  if (request.force === true && request.parent !== undefined) {
    throw new Failure('usage', '--force and --parent contradict each other');
  }
  if (request.nice !== undefined && request.nice > 19) throw new Failure('usage', '--nice goes from 1 to 19');
}
