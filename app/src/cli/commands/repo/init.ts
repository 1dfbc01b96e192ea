import { Failure, type Id, shortId } from '@holdfast/engine';
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
import { addSourceOptions, namesSource, sourceAccessFor } from '../../source-options.ts';
import { signs } from '../../style.ts';
import { printable } from '../../width.ts';

export interface InitOptions {
  /** restic's words: `stable` and `latest` are both format 2 today. */
  readonly repositoryVersion: '1' | '2' | 'stable' | 'latest';
  readonly copyChunkerParams?: true;
}

export interface InitRequest extends InitOptions {
  /** The repository whose way of cutting files the new one is to have. */
  readonly cutLike?: RepositoryAccess;
}

export interface CreatedRepository {
  readonly id: Id;
  readonly version: 1 | 2;
  /** For people: without a login in it. */
  readonly location: string;
}

export type InitRepository = (
  access: RepositoryAccess,
  request: InitRequest,
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
      [
        'holdfast repo init --repo /mnt/usb --from-repo /srv/backup --copy-chunker-params',
        'for copies: what both have is recognised as the same',
      ],
    ],
  });
  command.addOption(
    new Option('--repository-version <version>', 'format of the repository')
      .choices(['1', '2', 'stable', 'latest'])
      .default('stable'),
  );
  command.option('--copy-chunker-params', 'cut files as the repository --from-repo does');
  addSourceOptions(command);
  endRepositoryCommand(command).action(async () => {
    const options = command.opts<InitOptions>();
    const cutLike = await namedSource(command, options, context);
    const access = await accessFor(command, context, 'create');
    const created = await withProgress(command, context, (work) =>
      initRepository(access, { ...options, ...(cutLike === undefined ? {} : { cutLike }) }, work),
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

async function namedSource(
  command: Command,
  { copyChunkerParams }: InitOptions,
  context: Context,
): Promise<RepositoryAccess | undefined> {
  if (copyChunkerParams === true) return await sourceAccessFor(command, context);
  if (!namesSource(command)) return undefined;
  throw new Failure('usage', 'a source means nothing without --copy-chunker-params', {
    hint: 'To bring snapshots into the new repository: holdfast repo copy, afterwards.',
  });
}
