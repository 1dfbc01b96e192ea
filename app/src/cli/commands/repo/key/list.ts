import type { Command } from 'commander';
import { accessFor, endRepositoryCommand, newCommand, present } from '../../../command-frame.ts';
import type { Context } from '../../../context.ts';
import { type KeyEntry, keyRecord, renderKeys } from '../../../render/keys.ts';
import type { RepositoryAccess } from '../../../repository-options.ts';

export type ListKeys = (access: RepositoryAccess, signal: AbortSignal) => Promise<readonly KeyEntry[]>;

export function define(parent: Command, context: Context, listKeys: ListKeys): void {
  const command = newCommand(parent, {
    usage: 'list',
    summary: 'list the keys',
    examples: [['holdfast repo key list', 'who can open this repository, and with which key you did']],
  });
  endRepositoryCommand(command).action(async () => {
    const keys = await listKeys(await accessFor(command, context), context.signal);
    present(
      command,
      context,
      {
        lines: (_style, width) => renderKeys(keys, context.timeZone, width),
        records: () => keys.map(keyRecord),
      },
      'answer',
    );
  });
}
