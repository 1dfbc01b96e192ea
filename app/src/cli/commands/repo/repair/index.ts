import type { Command } from 'commander';
import { endRepositoryCommand, newCommand } from '../../../command-frame.ts';
import type { Context } from '../../../context.ts';
import { type PlanRepair, runRepair } from '../../../repair-frame.ts';

export function define(parent: Command, context: Context, planRepair: PlanRepair): void {
  const command = newCommand(parent, {
    usage: 'index',
    summary: 'make the index anew from the packs',
    description:
      'Makes the index say what is in the packs that are there. Of packs that it does not name, or names wrongly, the ' +
      'headers are read and nothing else. Also when every index file is lost.',
    examples: [
      ['holdfast repo repair index --dry-run', 'show what is wrong with it'],
      ['holdfast repo repair index --read-all', 'believe only the headers of the packs'],
    ],
  });
  command
    .option('--read-all', 'read the header of every pack')
    .option('-n, --dry-run', 'change nothing, only show the plan');
  endRepositoryCommand(command).action(async () => {
    const { readAll = false } = command.opts<{ readonly readAll?: true }>();
    await runRepair(command, context, planRepair, { scope: 'index', readAll, readData: false, from: [] });
  });
}
