import { Failure } from '@holdfast/engine';
import { type Command, Option } from 'commander';
import { SLOT_NAME } from '../../../sources/postgres/journal/slot-name.ts';
import {
  accessFor,
  endWritingCommand,
  newCommand,
  present,
  type Work,
  withProgress,
} from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { parseDuration, parsePositive } from '../../option-values.ts';
import { type JournalSummary, journalRecord, renderJournal } from '../../render/journal.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { addServerOptions, type ServerOptions } from '../../server-options.ts';

export interface JournalRequest extends ServerOptions {
  readonly spool?: string;
  /** Milliseconds. */
  readonly rpo: number;
  readonly slot: string;
  /** What `synchronous_standby_names` may name. */
  readonly name: string;
  /** The server is meant to wait for us. */
  readonly synchronous?: true;
  /** Take a base when none leads to the journal. */
  readonly baseAfterGap: boolean;
  /** How that base is taken: as `postgres backup` has it. */
  readonly checkpoint: 'fast' | 'spread';
  /** KiB/s. */
  readonly maxRate?: number;
  readonly host?: string;
  /** Nothing is received; it ends when all that the spool holds is in the repository. */
  readonly drain?: true;
}

/** Runs until it is told to stop. Rejects only when going on makes no sense. */
export type KeepJournal = (
  access: RepositoryAccess,
  request: JournalRequest,
  work: Work,
) => Promise<JournalSummary>;

const FIVE_MINUTES = 300_000;

export function define(parent: Command, context: Context, keepJournal: KeepJournal): void {
  const command = newCommand(parent, {
    usage: 'journal',
    summary: 'receive every change as it happens, until stopped',
    description:
      'Streams the server’s WAL into a spool on this machine, acknowledges what is durable there, and carries it into ' +
      'the repository. Together with a base backup every moment in between can be restored; where none leads to it, at ' +
      'the beginning and after a gap, one is taken. Runs until Ctrl-C; started again it goes on where it was, also ' +
      'after kill -9. Needs a role with LOGIN and REPLICATION.',
    examples: [
      ['holdfast postgres journal --url postgres://backup@db-1 --repo /srv/backup', 'begin, or go on'],
      [
        'holdfast postgres journal --url postgres://backup@db-1 --rpo 30s --spool /srv/spool',
        'in the repository within 30 seconds, the spool on a disk of its own',
      ],
      [
        'holdfast postgres journal --url postgres://backup@db-1,db-2 --repo /srv/backup --json',
        'follow whichever takes over, and tell a program what happens',
      ],
      [
        'holdfast postgres journal --drain --spool /srv/spool --repo /srv/backup',
        'the server is gone: bring its last moments from the spool into the repository, and end',
      ],
    ],
  });
  addServerOptions(command)
    .optionsGroup('The journal:')
    .option(
      '--spool <dir>',
      'where WAL is kept until it is in the repository (default: below ~/.local/state)',
    )
    .addOption(
      new Option('--rpo <duration>', 'how much may be lost with this machine, such as 30s')
        .argParser(parseDuration)
        .default(FIVE_MINUTES, '5m'),
    )
    .option('--slot <name>', 'our replication slot on the server', 'holdfast')
    .option('--name <name>', 'our name for synchronous_standby_names', 'holdfast')
    .option('--drain', 'only bring what the spool holds into the repository, without a server, and end')
    .option('--synchronous', 'say so when the server does not wait for us before it acknowledges a commit')
    .optionsGroup('The base backup, where none leads to the journal:')
    .option('--no-base-after-gap', 'take none, only say that one is missing')
    .addOption(
      new Option('--checkpoint <how>', 'begin it at once, or wait for a checkpoint that nobody feels')
        .choices(['fast', 'spread'])
        .default('fast'),
    )
    .option('--max-rate <KiB/s>', 'let the server send at most so much of it', parsePositive)
    .option('-H, --host <host>', 'the host it is of (default: the server’s)');
  endWritingCommand(command).action(async () => {
    const request = command.opts<JournalRequest>();
    refuseNonsense(request);
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

function refuseNonsense({ slot, rpo }: JournalRequest): void {
  if (!SLOT_NAME.test(slot)) {
    throw new Failure('usage', `"${slot}" is no name for a replication slot`, {
      hint: 'PostgreSQL takes small letters, digits and underscores, 63 at most.',
    });
  }
  if (rpo < 1000) throw new Failure('usage', '--rpo is a second at least');
}
