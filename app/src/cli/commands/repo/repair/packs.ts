import type { Command } from 'commander';
import { endWritingCommand, newCommand } from '../../../command-frame.ts';
import type { Context } from '../../../context.ts';
import { type PlanRepair, runRepair } from '../../../repair-frame.ts';

export function define(parent: Command, context: Context, planRepair: PlanRepair): void {
  const command = newCommand(parent, {
    usage: 'packs',
    summary: 'save what is intact of damaged packs',
    description:
      'Writes the intact pieces of damaged packs into new ones, and removes the damaged packs only then. Try repair ' +
      '--from first, if there is a copy: it does the same and brings back the rest. The index is made right as well.',
    examples: [['holdfast repo repair packs --dry-run', 'show which they are, and what is lost with them']],
  });
  command
    .option('--no-read-data', 'look only into packs that look wrong from outside')
    .option('-n, --dry-run', 'change nothing, only show the plan');
  endWritingCommand(command).action(async () => {
    const { readData } = command.opts<{ readonly readData: boolean }>();
    await runRepair(command, context, planRepair, { scope: 'all', readAll: false, readData, from: [] });
  });
}
