import type { CheckPolicy } from '../../cli/commands/policy/check.ts';
import { checkPromises } from '../../policy/promises/promises.ts';
import { type FactsMachine, gatherFacts } from './gather-facts.ts';
import { type PolicyMachine, readPolicy } from './policy-file.ts';
import { longestGapFrom } from './schedule-gap.ts';

export function checkPolicy(machine: PolicyMachine & FactsMachine): CheckPolicy {
  return async ({ file, probe }, { signal }) => {
    const parsed = await readPolicy(file, machine);
    if ('problems' in parsed) return { file, problems: parsed.problems };
    const { policy } = parsed;
    const facts = await gatherFacts(policy, { machine, signal, probe });
    return { file, policy, findings: checkPromises(policy, facts, longestGapFrom(machine.clock.now())) };
  };
}
