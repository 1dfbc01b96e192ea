import type { Command } from 'commander';
import type { Policy } from '../../../policy/model.ts';
import { newCommand, present } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { addGlobalOptions } from '../../global-options.ts';
import { type PolicyRefusal, policyFileOf, refusePolicy } from '../../policy-options.ts';

export interface ExplainedPolicy {
  readonly file: string;
  readonly policy: Policy;
  /** YAML. */
  readonly text: string;
}

export type ExplainPolicy = (request: { readonly file: string }) => Promise<ExplainedPolicy | PolicyRefusal>;

export function define(parent: Command, context: Context, explainPolicy: ExplainPolicy): void {
  const command = newCommand(parent, {
    usage: 'explain [file]',
    summary: 'print a policy with everything written out that holds by default',
    examples: [['holdfast policy explain | less', 'what holdfast.yaml in this directory means']],
  });
  addGlobalOptions(command).action(async (argument: string | undefined) => {
    const outcome = await explainPolicy({ file: policyFileOf(argument, context) });
    if ('problems' in outcome) throw refusePolicy(outcome, command, context);
    const view = {
      lines: () => outcome.text.trimEnd().split('\n'),
      records: () => [{ type: 'policy', file: outcome.file, policy: outcome.policy }],
    };
    present(command, context, view, 'answer');
  });
}
