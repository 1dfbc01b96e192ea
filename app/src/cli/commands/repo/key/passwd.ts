import { type Id, shortId } from '@holdfast/engine';
import type { Command } from 'commander';
import { accessFor, endRepositoryCommand, newCommand, present } from '../../../command-frame.ts';
import type { Context } from '../../../context.ts';
import type { RepositoryAccess } from '../../../repository-options.ts';
import { signs } from '../../../style.ts';
import { addNewKeyOptions, type NewKeyOptions, type NewKeyRequest, newKeyRequest } from './new-password.ts';

export interface ChangedPassword {
  readonly added: Id;
  readonly removed: Id;
}

/** The new key is durable and was tried before the old one is removed. */
export type ChangePassword = (
  access: RepositoryAccess,
  request: NewKeyRequest,
  signal: AbortSignal,
) => Promise<ChangedPassword>;

export function define(parent: Command, context: Context, changePassword: ChangePassword): void {
  const command = newCommand(parent, {
    usage: 'passwd',
    summary: 'change the password of the key you open it with',
    examples: [
      ['holdfast repo key passwd', 'asks for the password and the new one'],
      ['holdfast repo key passwd --new-password-file /root/new.key', 'without asking for the new one'],
    ],
  });
  addNewKeyOptions(command);
  endRepositoryCommand(command).action(async () => {
    const access = await accessFor(command, context);
    const request = await newKeyRequest(command.opts<NewKeyOptions>(), context);
    const changed = await changePassword(access, request, context.signal);
    present(
      command,
      context,
      {
        lines: (style) => [
          `${style.good(signs.good)} Changed: key ${shortId(changed.added)} takes the place of ${shortId(changed.removed)}`,
          '  Write the new password down in a second place.',
        ],
        records: () => [{ type: 'summary', ...changed }],
      },
      'confirmation',
    );
  });
}
