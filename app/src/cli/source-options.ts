import type { Command } from 'commander';
import type { Context } from './context.ts';
import { globalOptionsOf } from './global-options.ts';
import { collect } from './option-values.ts';
import {
  type RepositoryAccess,
  type RepositoryFlags,
  type RepositorySide,
  resolveAccess,
} from './repository-options.ts';

/** The repository that something is taken from, under restic's names. */
const SOURCE_SIDE: RepositorySide = { option: 'from-', variable: 'FROM_', name: 'source' };

/** What is the source's own; all else (certificates, caches) holds for both. */
const OWN_FLAGS = {
  repo: 'fromRepo',
  repositoryFile: 'fromRepositoryFile',
  passwordFile: 'fromPasswordFile',
  passwordCommand: 'fromPasswordCommand',
} as const satisfies { [flag in keyof RepositoryFlags]?: string };

export function addSourceOptions(command: Command): Command {
  return command
    .optionsGroup('Source:')
    .option('--from-repo <address>', 'the repository to take from (HOLDFAST_FROM_REPOSITORY)')
    .option('--from-repository-file <file>', 'a file with its address (HOLDFAST_FROM_REPOSITORY_FILE)')
    .option('--from-password-file <file>', 'a file with its password (HOLDFAST_FROM_PASSWORD_FILE)')
    .option(
      '--from-password-command <command>',
      'a command that prints its password (HOLDFAST_FROM_PASSWORD_COMMAND)',
    )
    .option('--from-option <name=value>', 'like -o, for it; without any, -o holds for both', collect);
}

/** Whether any of the options was given. */
export function namesSource(command: Command): boolean {
  return Object.keys(command.opts()).some((name) => name.startsWith('from'));
}

export async function sourceAccessFor(command: Command, context: Context): Promise<RepositoryAccess> {
  const given = command.opts<Record<string, unknown>>();
  const own = Object.entries(OWN_FLAGS).map(([flag, name]) => [flag, given[name]]);
  const flags = { ...given, ...Object.fromEntries(own), option: given['fromOption'] ?? given['option'] };
  return await resolveAccess(flags, globalOptionsOf(command), context, 'open', SOURCE_SIDE);
}
