import { type Id, shortId } from '@holdfast/engine';
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
import type { RepositoryAccess } from '../../repository-options.ts';
import { signs } from '../../style.ts';
import { printable } from '../../width.ts';

export interface InitOptions {
  /** restic's words: `stable` and `latest` are both format 2 today. */
  readonly repositoryVersion: '1' | '2' | 'stable' | 'latest';
}

export interface CreatedRepository {
  readonly id: Id;
  readonly version: 1 | 2;
  /** For people: without a login in it. */
  readonly location: string;
}

export type InitRepository = (
  access: RepositoryAccess,
  options: InitOptions,
  work: Work,
) => Promise<CreatedRepository>;

export function define(parent: Command, context: Context, initRepository: InitRepository): void {
  const command = newCommand(parent, {
    usage: 'init',
    summary: 'make a new repository',
    description:
      'Makes a new repository in restic’s format. Keep its password in a second place, away from this machine: ' +
      'without it nobody can read the repository, and nobody can help.',
    examples: [
      ['holdfast repo init --repo /srv/backup', 'asks for a password, twice'],
      ['holdfast repo init --repo /srv/backup --password-file /root/backup.key', 'without asking'],
    ],
  });
  command.addOption(
    new Option('--repository-version <version>', 'format of the repository')
      .choices(['1', '2', 'stable', 'latest'])
      .default('stable'),
  );
  endRepositoryCommand(command).action(async () => {
    const access = await accessFor(command, context, 'create');
    const created = await withProgress(command, context, (work) =>
      initRepository(access, command.opts<InitOptions>(), work),
    );
    const place = printable(created.location);
    present(
      command,
      context,
      {
        lines: (style) => [
          `${style.good(signs.good)} Made repository ${shortId(created.id)} (format ${created.version}) at ${place}`,
          '  Write its password down in a second place: without it nobody can read the repository.',
          `  Next: holdfast files backup PATH --repo ${place}`,
        ],
        records: () => [{ type: 'summary', ...created }],
      },
      'confirmation',
    );
  });
}
