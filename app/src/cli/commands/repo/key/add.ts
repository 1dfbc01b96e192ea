import { type Id, shortId } from '@holdfast/engine';
import type { Command } from 'commander';
import { accessFor, endRepositoryCommand, newCommand, present } from '../../../command-frame.ts';
import type { Context } from '../../../context.ts';
import type { RepositoryAccess } from '../../../repository-options.ts';
import { signs } from '../../../style.ts';
import { addNewKeyOptions, type NewKeyOptions, type NewKeyRequest, newKeyRequest } from './new-password.ts';

/** Resolves to the new key's id, once it is durable. */
export type AddKey = (access: RepositoryAccess, request: NewKeyRequest, signal: AbortSignal) => Promise<Id>;

export function define(parent: Command, context: Context, addKey: AddKey): void {
  const command = newCommand(parent, {
    usage: 'add',
    summary: 'add a key with another password',
    examples: [
      ['holdfast repo key add', 'asks for the password and the new one'],
      ['holdfast repo key add --new-password-file /root/second.key --user backup', 'without asking'],
    ],
  });
  addNewKeyOptions(command);
  endRepositoryCommand(command).action(async () => {
    const access = await accessFor(command, context);
    const id = await addKey(
      access,
      await newKeyRequest(command.opts<NewKeyOptions>(), context),
      context.signal,
    );
    present(
      command,
      context,
      {
        lines: (style) => [
          `${style.good(signs.good)} Added key ${shortId(id)}: its password opens the repository now`,
        ],
        records: () => [{ type: 'summary', added: id }],
      },
      'confirmation',
    );
  });
}
