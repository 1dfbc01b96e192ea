import type { Command } from 'commander';
import { endWritingCommand, newCommand } from '../../../command-frame.ts';
import type { Context } from '../../../context.ts';
import { collect } from '../../../option-values.ts';
import { fromAccesses, type PlanRepair, runRepair } from '../../../repair-frame.ts';

interface RepairOptions {
  readonly fromFiles?: true | string;
  readonly readData?: true;
}

export function define(parent: Command, context: Context, planRepair: PlanRepair): void {
  const command = newCommand(parent, {
    usage: 'repair',
    summary: 'bring back what is damaged or lost',
    description:
      'Makes the index right, saves what is intact of damaged packs, and brings lost pieces back from another ' +
      'repository or from the original files: whatever has the same content will do, of any password and in any ' +
      'place. Each piece is verified before it is stored, and nothing is removed before what is left of it is saved. ' +
      'The parts also work alone: repair index, repair packs, repair snapshots.',
    examples: [
      ['holdfast repo repair --dry-run', 'show what is damaged and what would be done'],
      ['holdfast repo repair --from sftp:backup@offsite:/srv/copy --read-data', 'bring back from a copy'],
      ['holdfast repo repair --from-files', 'bring back from the files where they were'],
      ['holdfast repo repair --from-files /mnt/old-disk', 'or where they are now'],
    ],
  });
  command
    .option('--from <address>', 'a repository that may have what is lost (several times)', collect)
    .option(
      '--from-password-file <file>',
      'a file with its password (HOLDFAST_FROM_PASSWORD_FILE); else the same',
    )
    .option('--from-password-command <command>', 'a command that prints it (HOLDFAST_FROM_PASSWORD_COMMAND)')
    .option('--from-files [directory]', 'read the original files, where they were or below a directory')
    .option('--read-data', 'read every byte to find damage; otherwise only what looks wrong from outside')
    .option('-n, --dry-run', 'change nothing, only show the plan');
  endWritingCommand(command).action(async () => {
    const { fromFiles, readData } = command.opts<RepairOptions>();
    await runRepair(command, context, planRepair, {
      scope: 'all',
      readAll: false,
      readData: readData ?? false,
      from: await fromAccesses(command, context),
      ...(fromFiles === undefined ? {} : { fromFiles }),
    });
  });
}
