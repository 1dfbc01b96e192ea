import { Failure } from '@holdfast/engine';
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
import { parseDuration } from '../../option-values.ts';
import { type JournalSummary, journalRecord, renderJournal } from '../../render/journal.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { Secret } from '../../secret.ts';

export interface JournalRequest {
  /** postgres://…; may hold a password. */
  readonly url: Secret;
  readonly spool?: string;
  /** Milliseconds. */
  readonly rpo: number;
  readonly slot: string;
  /** What `synchronous_standby_names` may name. */
  readonly name: string;
}

/** Runs until it is told to stop. Rejects only when going on makes no sense. */
export type KeepJournal = (
  access: RepositoryAccess,
  request: JournalRequest,
  work: Work,
) => Promise<JournalSummary>;

interface JournalFlags {
  readonly url?: string;
  readonly spool?: string;
  readonly rpo: number;
  readonly slot: string;
  readonly name: string;
}

const FIVE_MINUTES = 300_000;

export function define(parent: Command, context: Context, keepJournal: KeepJournal): void {
  const command = newCommand(parent, {
    usage: 'journal',
    summary: 'receive every change as it happens, until stopped',
    description:
      'Streams the server’s WAL into a spool on this machine, acknowledges what is durable there, and carries it into ' +
      'the repository. Together with a base backup every moment in between can be restored. Runs until Ctrl-C; ' +
      'started again it goes on where it was, also after kill -9. Needs a role with LOGIN and REPLICATION.',
    examples: [
      ['holdfast postgres journal --url postgres://backup@db-1 --repo /srv/backup', 'begin, or go on'],
      [
        'holdfast postgres journal --url postgres://backup@db-1 --rpo 30s --spool /srv/spool',
        'in the repository within 30 seconds, the spool on a disk of its own',
      ],
    ],
  });
  command
    .option('--url <url>', 'the server, postgres://user@host/ (also: HOLDFAST_POSTGRES_URL)')
    .option(
      '--spool <dir>',
      'where WAL is kept until it is in the repository (default: below ~/.local/state)',
    )
    .option(
      '--rpo <duration>',
      'how much may be lost with this machine, such as 5m',
      parseDuration,
      FIVE_MINUTES,
    )
    .option('--slot <name>', 'our replication slot on the server', 'holdfast')
    .option('--name <name>', 'our name for synchronous_standby_names', 'holdfast');
  endRepositoryCommand(command).action(async () => {
    const request = requestOf(command.opts<JournalFlags>(), context);
    const access = await accessFor(command, context);
    const summary = await withProgress(command, context, (work) => keepJournal(access, request, work));
    present(
      command,
      context,
      { lines: () => renderJournal(summary), records: () => [journalRecord(summary)] },
      'confirmation',
    );
  });
}

function requestOf({ url, ...flags }: JournalFlags, context: Context): JournalRequest {
  const given = url ?? context.environment['HOLDFAST_POSTGRES_URL'];
  if (given === undefined || given === '') {
    throw new Failure('usage', 'no server was given', {
      hint: 'Give --url postgres://user@host/, or set HOLDFAST_POSTGRES_URL.',
    });
  }
  if (!/^[a-z0-9_]{1,63}$/.test(flags.slot)) {
    throw new Failure('usage', `"${flags.slot}" is no name for a replication slot`, {
      hint: 'PostgreSQL takes small letters, digits and underscores, 63 at most.',
    });
  }
  if (flags.rpo < 1000) throw new Failure('usage', '--rpo is a second at least');
  return { url: new Secret(given), ...flags };
}
