import { Failure } from '@holdfast/engine';
import { type Command, Option } from 'commander';
import {
  accessFor,
  endRepositoryCommand,
  newCommand,
  present,
  type Work,
  withProgress,
} from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { collect } from '../../option-values.ts';
import { baseRestoreRecord, renderBaseRestore } from '../../render/base-restore.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addSnapshotFilter, type SnapshotFilter } from '../../snapshot-filter.ts';

export interface RestoreBaseOptions extends SnapshotFilter {
  readonly target: string;
  /** A directory with WAL files. */
  readonly wal?: string;
  /** `latest`, `immediate`, a time, a position, `xid:…` or `name:…`. */
  readonly to?: string;
  readonly exclusive?: true;
  readonly action: 'promote' | 'pause' | 'shutdown';
  /** `oid=directory` each. */
  readonly tablespace?: readonly string[];
  /** `uid[:gid]`. */
  readonly owner?: string;
}

export interface RestoreBaseRequest extends RestoreBaseOptions {
  /** An id, its beginning or `latest`. */
  readonly base: string;
}

export interface BaseRestoreSummary {
  readonly target: string;
  readonly serverVersion: string;
  readonly tablespaces: readonly { readonly oid: number; readonly directory: string }[];
  readonly bytesWritten: number;
  readonly milliseconds: number;
  /** What starts it. */
  readonly startCommand: string;
}

export type RestoreBase = (
  access: RepositoryAccess,
  request: RestoreBaseRequest,
  work: Work,
) => Promise<BaseRestoreSummary>;

export function define(parent: Command, context: Context, restoreBase: RestoreBase): void {
  const command = newCommand(parent, {
    usage: 'restore <base>',
    summary: 'bring a server’s data directory back',
    description:
      'Brings a base backup back into a new or empty directory, from which a server of the same major version starts. ' +
      'Alone it is as of the moment when the base was taken; with a directory of WAL, as of any moment after it.',
    examples: [
      ['holdfast postgres restore latest --target /srv/pg', 'the newest base, as it was when it was taken'],
      [
        'holdfast postgres restore latest --target /srv/pg --wal /srv/wal --to "2026-11-21 10:44:07"',
        'as of that moment, in this machine’s zone',
      ],
    ],
  });
  command
    .requiredOption('-t, --target <directory>', 'where to; made if it is not there, else empty')
    .option('--wal <directory>', 'replay the WAL files of this directory')
    .option('--to <moment>', 'latest, immediate, a time, a position such as 0/15D68C8, xid:N or name:NAME')
    .option('--exclusive', 'stop just before that moment instead of just after it')
    .addOption(
      new Option('--action <what>', 'what the server does when it is there')
        .choices(['promote', 'pause', 'shutdown'])
        .default('promote'),
    )
    .option('--tablespace <oid=directory>', 'where a tablespace goes (several times)', collect)
    .option('--owner <uid[:gid]>', 'whom the files are to belong to (as root; default: as on the server)');
  addSnapshotFilter(command);
  endRepositoryCommand(command).action(async (base: string) => {
    const request = { ...command.opts<RestoreBaseOptions>(), base };
    if (request.wal === undefined && request.to !== undefined) {
      throw new Failure('usage', '--to needs the WAL that leads to that moment', {
        hint: 'Say with --wal which directory it is in, or leave --to out: then the base alone comes back.',
      });
    }
    const access = await accessFor(command, context);
    const summary = await withProgress(command, context, (work) => restoreBase(access, request, work));
    const view = {
      lines: renderBaseRestore.bind(null, summary),
      records: () => [baseRestoreRecord(summary)],
    };
    present(command, context, view, 'confirmation');
  });
}
