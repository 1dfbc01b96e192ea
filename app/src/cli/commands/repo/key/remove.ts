import { type Id, shortId } from '@holdfast/engine';
import type { Command } from 'commander';
import { accessFor, endRepositoryCommand, newCommand, present } from '../../../command-frame.ts';
import type { Context } from '../../../context.ts';
import type { RepositoryAccess } from '../../../repository-options.ts';
import { signs } from '../../../style.ts';

/** `key` is an id or its beginning. Rejects with `repository.last-key` for the one that opened the repository. */
export type RemoveKey = (access: RepositoryAccess, key: string, signal: AbortSignal) => Promise<Id>;

export function define(parent: Command, context: Context, removeKey: RemoveKey): void {
  const command = newCommand(parent, {
    usage: 'remove <key>',
    summary: 'remove a key: its password opens nothing any more',
    description:
      'Removes a key: its password opens nothing any more. Whoever copied that key’s file before can still use ' +
      'it with the old password.',
    examples: [['holdfast repo key remove 1a2b3c4d', 'not the one that opens the repository now']],
  });
  endRepositoryCommand(command).action(async (key: string) => {
    const id = await removeKey(await accessFor(command, context), key, context.signal);
    present(
      command,
      context,
      {
        lines: (style) => [`${style.good(signs.good)} Removed key ${shortId(id)}`],
        records: () => [{ type: 'summary', removed: id }],
      },
      'confirmation',
    );
  });
}
