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
import { formatCounted } from '../../format.ts';
import type { RepositoryAccess } from '../../repository-options.ts';
import { signs } from '../../style.ts';

export interface UnlockOptions {
  readonly removeAll?: true;
}

export interface UnlockResult {
  readonly removed: number;
  /** Of programs that may still run. */
  readonly remaining: number;
}

export type UnlockRepository = (
  access: RepositoryAccess,
  options: UnlockOptions,
  work: Work,
) => Promise<UnlockResult>;

export function define(parent: Command, context: Context, unlockRepository: UnlockRepository): void {
  const command = newCommand(parent, {
    usage: 'unlock',
    summary: 'remove locks of programs that are gone',
    examples: [
      ['holdfast repo unlock', 'only locks that are certainly stale'],
      ['holdfast repo unlock --remove-all', 'all: when you know that nobody is working with it'],
    ],
  });
  command.option('--remove-all', 'remove the locks of running programs as well');
  endRepositoryCommand(command).action(async () => {
    const access = await accessFor(command, context);
    const result = await withProgress(command, context, (work) =>
      unlockRepository(access, command.opts<UnlockOptions>(), work),
    );
    present(
      command,
      context,
      {
        lines: (style) => [
          `${style.good(signs.good)} Removed ${formatCounted(result.removed, 'lock')}`,
          ...(result.remaining === 0
            ? []
            : [
                `${style.warning(signs.warning)} ${formatCounted(result.remaining, 'lock')} left: somebody may be working`,
              ]),
        ],
        records: () => [{ type: 'summary', ...result }],
      },
      'confirmation',
    );
  });
}
