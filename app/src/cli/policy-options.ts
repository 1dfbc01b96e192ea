import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import type { PolicyProblem } from '../policy/problem.ts';
import { present } from './command-frame.ts';
import type { Context } from './context.ts';
import { formatCounted } from './format.ts';
import { policyProblemRecords, renderPolicyProblems } from './render/policy-problems.ts';

const USUAL_FILE = 'holdfast.yaml';

/** The policy file that is meant. */
export function policyFileOf(
  argument: string | undefined,
  { environment }: Pick<Context, 'environment'>,
): string {
  return argument || environment['HOLDFAST_POLICY'] || USUAL_FILE;
}

/** A file that is no policy. */
export interface PolicyRefusal {
  readonly file: string;
  readonly problems: readonly PolicyProblem[];
}

/** Shows all that is wrong with it, and gives the failure to throw. */
export function refusePolicy(refusal: PolicyRefusal, command: Command, context: Context): Failure {
  const view = {
    lines: renderPolicyProblems.bind(null, refusal),
    records: () => policyProblemRecords(refusal),
  };
  present(command, context, view, 'answer');
  const count = formatCounted(refusal.problems.length, 'thing');
  return new Failure('policy.invalid', `${count} must be mended before this is a policy`, {
    subject: refusal.file,
    hint: 'Each is printed above, with its line.',
  });
}
