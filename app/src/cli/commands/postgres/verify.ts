import { Failure, type Finding, type Id } from '@holdfast/engine';
import type { Command } from 'commander';
import {
  accessFor,
  endRepositoryCommand,
  newCommand,
  present,
  type Work,
  withProgress,
} from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { formatCounted } from '../../format.ts';
import { renderVerification, verificationRecords } from '../../render/postgres-verification.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addSnapshotFilter, type SnapshotFilter } from '../../snapshot-filter.ts';

export interface VerifyPostgresRequest extends SnapshotFilter {
  /** Evidence: an id, its beginning, or `latest`. */
  readonly at: string;
  /** Where the copy is made. */
  readonly work?: string;
}

/** What was compared of one database. */
export interface ComparedDatabase {
  readonly database: string;
  readonly lsn: string;
  /** Tables: exactly the same; of these, looked at in part only; not the same; unknown. */
  readonly exact: number;
  readonly sampled: number;
  readonly different: number;
  readonly unknown: number;
  readonly rows: string;
  /** Transactions by which the copy may differ and be right. */
  readonly tolerance: number;
}

export interface VerificationSummary {
  readonly evidence: Id;
  /** RFC 3339. */
  readonly takenAt: string;
  readonly base: Id;
  readonly server: string;
  readonly serverVersion: string;
  readonly content: readonly ComparedDatabase[];
  /** Absent where pages have no checksums. */
  readonly pages?: number;
  /** Absent where the server of this machine comes without amcheck. */
  readonly structure?: { readonly indexes: number; readonly tables?: number };
  readonly findings: readonly Finding[];
  /** Bytes restored. */
  readonly bytes: number;
  /** Milliseconds until the copy answered, and for everything. */
  readonly recoveryMilliseconds: number;
  readonly milliseconds: number;
  /** RFC 3339: the last moment that the repository can bring back. */
  readonly restorableUntil: string;
}

export type VerifyPostgres = (
  access: RepositoryAccess,
  request: VerifyPostgresRequest,
  work: Work,
) => Promise<VerificationSummary>;

export function define(parent: Command, context: Context, verifyPostgres: VerifyPostgres): void {
  const command = newCommand(parent, {
    usage: 'verify',
    summary: 'restore a server elsewhere and compare it with the evidence',
    description:
      'Restores base and journal into a temporary directory, up to exactly where evidence was taken, starts a server on ' +
      'it for nobody else, and compares: rows and content of every table, the checksum of every page, and with amcheck ' +
      'every index. Says what was compared and what was not. Ends with 1 when something differs, with 3 when something ' +
      'is unknown. The copy is removed whatever happens.',
    examples: [
      ['holdfast postgres verify --repo /srv/backup', 'the newest evidence'],
      [
        'holdfast postgres verify --at 1a2b3c4d --work /srv/scratch',
        'this one, with room for the copy there',
      ],
    ],
  });
  command
    .option('--at <evidence>', 'which evidence: an id, its beginning, or latest', 'latest')
    .option(
      '--work <directory>',
      'where the copy is made: it needs the room of the server (default: the temporary directory)',
    );
  addSnapshotFilter(command);
  endRepositoryCommand(command).action(async () => {
    const access = await accessFor(command, context);
    const request = command.opts<VerifyPostgresRequest>();
    const summary = await withProgress(command, context, (work) => verifyPostgres(access, request, work));
    const reader = { now: context.clock.now(), timeZone: context.timeZone };
    const view = {
      lines: renderVerification.bind(null, summary, reader),
      records: () => verificationRecords(summary),
    };
    present(command, context, view, 'answer');
    conclude(summary.findings);
  });
}

function conclude(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) {
    throw new Failure(
      'evidence.different',
      `${formatCounted(errors, 'thing')} in the copy ${errors === 1 ? 'is' : 'are'} not as it should be`,
      {
        hint: 'What differs is printed above. Keep everything: forget and prune nothing until it is understood.',
      },
    );
  }
  const unknown = findings.filter(({ severity }) => severity === 'warning').length;
  if (unknown > 0) {
    throw new Failure(
      'incomplete',
      `nothing was found wrong, but ${formatCounted(unknown, 'thing')} could not be compared`,
      {
        hint: 'Why not, and what helps, is printed above.',
      },
    );
  }
}
