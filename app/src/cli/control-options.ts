import type { Command } from 'commander';

/** Which policy, and where its control plane keeps its memory. */
export interface ControlOptions {
  readonly policy?: string;
  readonly state?: string;
}

export function addControlOptions(command: Command): Command {
  return command
    .optionsGroup('The control plane:')
    .option('--policy <file>', 'the policy (HOLDFAST_POLICY; default: ./holdfast.yaml)')
    .option(
      '--state <dir>',
      'where its memory and journals lie (HOLDFAST_STATE; default: /var/lib/holdfast as root, else below ~/.local/state)',
    );
}
