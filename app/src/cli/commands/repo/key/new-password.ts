import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import type { Context } from '../../../context.ts';
import { resolvePassword, type ValueSource } from '../../../repository-options.ts';
import type { Secret } from '../../../secret.ts';

/** Options of whatever makes a key. */
export interface NewKeyOptions {
  readonly newPasswordFile?: string;
  readonly newPasswordCommand?: string;
  /** Written into the key, for people; this user and host when absent. */
  readonly user?: string;
  readonly host?: string;
}

export interface NewKeyRequest {
  readonly password: Secret;
  readonly user: string | undefined;
  readonly host: string | undefined;
}

export function addNewKeyOptions(command: Command): Command {
  return command
    .option('--new-password-file <file>', 'a file with the new password in it')
    .option('--new-password-command <command>', 'a command that prints the new password')
    .option('--user <name>', 'the user it is for, as a note in the key')
    .option('--host <host>', 'the host it is for, as a note in the key');
}

export async function newKeyRequest(options: NewKeyOptions, context: Context): Promise<NewKeyRequest> {
  const password = await resolvePassword(newPasswordSource(options), 'New password: ', 'create', context);
  return { password, user: options.user, host: options.host };
}

function newPasswordSource({ newPasswordFile, newPasswordCommand }: NewKeyOptions): ValueSource | undefined {
  if (newPasswordFile !== undefined && newPasswordCommand !== undefined) {
    throw new Failure(
      'usage',
      '--new-password-file and --new-password-command contradict each other: give only one',
    );
  }
  if (newPasswordFile !== undefined)
    return { kind: 'file', name: '--new-password-file', path: newPasswordFile };
  if (newPasswordCommand === undefined) return undefined;
  return { kind: 'command', name: '--new-password-command', command: newPasswordCommand };
}
