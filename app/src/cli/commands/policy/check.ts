import { Failure, type Finding } from '@holdfast/engine';
import type { Command } from 'commander';
import type { Policy } from '../../../policy/model.ts';
import { newCommand, present, type Work, withProgress } from '../../command-frame.ts';
import type { Context } from '../../context.ts';
import { formatCounted } from '../../format.ts';
import { addGlobalOptions } from '../../global-options.ts';
import { type PolicyRefusal, policyFileOf, refusePolicy } from '../../policy-options.ts';
import { policyCheckRecords, renderPolicyCheck } from '../../render/policy-check.ts';

export interface CheckRequest {
  readonly file: string;
  readonly probe: boolean;
}

/** A policy, and what is the matter with what it promises. */
export interface CheckedPolicy {
  readonly file: string;
  readonly policy: Policy;
  readonly findings: readonly Finding[];
}

export type CheckPolicy = (request: CheckRequest, work: Work) => Promise<CheckedPolicy | PolicyRefusal>;

export function define(parent: Command, context: Context, checkPolicy: CheckPolicy): void {
  const command = newCommand(parent, {
    usage: 'check [file]',
    summary: 'say what is wrong with a policy, and which of its promises cannot hold',
    description:
      'Reads a policy (holdfast.yaml, or HOLDFAST_POLICY) and tells all that is wrong with it, each with its line. Then ' +
      'looks at what it names: a repository beside its source, an RPO that nothing reaches, copies that a thief could ' +
      'delete, too little space. What cannot be known is said. Changes nothing.',
    examples: [
      ['holdfast policy check', 'holdfast.yaml in this directory'],
      ['holdfast policy check --probe', 'also try whether our credentials could delete the copies'],
    ],
  });
  command.option('--probe', 'save a small file in each copy’s repository and try to remove it');
  addGlobalOptions(command).action(async (argument: string | undefined) => {
    const { probe = false } = command.opts<{ probe?: boolean }>();
    const request = { file: policyFileOf(argument, context), probe };
    const outcome = await withProgress(command, context, (work) => checkPolicy(request, work));
    if ('problems' in outcome) throw refusePolicy(outcome, command, context);
    const view = {
      lines: renderPolicyCheck.bind(null, outcome),
      records: () => policyCheckRecords(outcome),
    };
    present(command, context, view, 'answer');
    const errors = outcome.findings.filter(({ severity }) => severity === 'error').length;
    if (errors === 0) return;
    throw new Failure('policy.unkept', `${formatCounted(errors, 'promise')} of this policy cannot hold`, {
      subject: request.file,
      hint: 'What to change is printed above.',
    });
  });
}
