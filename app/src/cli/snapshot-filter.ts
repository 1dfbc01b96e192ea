import type { Command } from 'commander';
import { collect, collectLists } from './option-values.ts';

/** Which snapshots are meant. Absent is no condition; several hosts are alternatives, as in restic. */
export interface SnapshotFilter {
  readonly host?: readonly string[];
  /** All of them must be among a snapshot's paths. */
  readonly path?: readonly string[];
  /** Each list is an alternative; all tags of a list must be there. An empty list means: without any tag. */
  readonly tag?: readonly (readonly string[])[];
}

export function addSnapshotFilter(command: Command): Command {
  return command
    .optionsGroup('Which snapshots:')
    .option('-H, --host <host>', 'only of this host (several times: any of them)', collect)
    .option('--path <path>', 'only with this absolute path (several times: all of them)', collect)
    .option(
      '--tag <tags>',
      'only with all of these tags, comma separated (several times: any of them)',
      collectLists,
    );
}
