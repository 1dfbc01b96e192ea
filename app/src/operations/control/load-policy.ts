import { Failure, type Finding } from '@holdfast/engine';
import type { LoadedPolicy } from '../../control/current-policy.ts';
import type { PolicyText } from '../../control/policy-file.ts';
import type { Policy } from '../../policy/model.ts';
import { parsePolicy } from '../../policy/parse.ts';
import { checkPromises } from '../../policy/promises/promises.ts';
import { checkCron } from '../../schedule/cron.ts';
import { type FactsMachine, gatherFacts } from '../policy/gather-facts.ts';
import type { PolicyMachine } from '../policy/policy-file.ts';
import { longestGapFrom } from '../policy/schedule-gap.ts';

export type LoadMachine = PolicyMachine & FactsMachine;

/**
 * The policy that a text says, whose promises can hold as far as can be seen from here, and which of them are shakier than
 * they look. Rejects with `usage`; its message names the first line or promise that is wrong.
 */
export async function goodPolicy(
  text: PolicyText,
  machine: LoadMachine,
  signal: AbortSignal,
): Promise<Pick<LoadedPolicy, 'policy' | 'doubts'>> {
  const policy = parseOrRefuse(text, machine);
  const facts = await gatherFacts(policy, { machine, signal, probe: false });
  const findings = checkPromises(policy, facts, longestGapFrom(machine.clock.now()));
  const [first, ...others] = findings.filter(({ severity }) => severity === 'error');
  if (first === undefined) {
    return { policy, doubts: findings.filter(({ severity }) => severity === 'warning') };
  }
  throw refusal(text.file, first, others.length);
}

function refusal(file: string, { subject, message, hint }: Finding, more: number): Failure {
  const others = more === 0 ? '' : ` (and ${more} more)`;
  return new Failure('usage', `the policy promises what cannot hold: ${subject}: ${message}${others}`, {
    subject: file,
    hint: `${hint ?? ''} All of it: holdfast policy check ${file}`.trim(),
  });
}

/** The policy that a text says; whether its promises can hold is not looked at. */
export function parseOrRefuse(
  { file, text }: PolicyText,
  { timeZone: timezone, homeDirectory }: PolicyMachine,
): Policy {
  const parsed = parsePolicy(text, { timezone, homeDirectory, checkCron });
  if ('policy' in parsed) return parsed.policy;
  const [first] = parsed.problems;
  const more = parsed.problems.length - 1;
  const where = first === undefined ? '' : ` in line ${first.line}: ${first.message}`;
  throw new Failure(
    'usage',
    `the policy is not a good one${where}${more === 0 ? '' : ` (and ${more} more)`}`,
    {
      subject: file,
      hint: `All of it: holdfast policy check ${file}`,
    },
  );
}
