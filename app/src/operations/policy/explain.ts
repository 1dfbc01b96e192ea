import type { ExplainPolicy } from '../../cli/commands/policy/explain.ts';
import { explainPolicy as explain } from '../../policy/explain.ts';
import { type PolicyMachine, readPolicy } from './policy-file.ts';

export function explainPolicy(machine: PolicyMachine): ExplainPolicy {
  return async ({ file }) => {
    const parsed = await readPolicy(file, machine);
    if ('problems' in parsed) return { file, problems: parsed.problems };
    return { file, policy: parsed.policy, text: explain(parsed.policy) };
  };
}
