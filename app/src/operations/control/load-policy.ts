import { Failure } from '@holdfast/engine';
import type { PolicyText } from '../../control/policy-file.ts';
import type { Policy } from '../../policy/model.ts';
import { parsePolicy } from '../../policy/parse.ts';
import { checkCron } from '../../schedule/cron.ts';
import type { Machine } from '../machine.ts';

/** The policy that a text says. Rejects with `usage`; its message names each line that is wrong. */
export function parseOrRefuse(
  { file, text }: PolicyText,
  { timeZone: timezone, homeDirectory }: Pick<Machine, 'timeZone' | 'homeDirectory'>,
): Policy {
  const parsed = parsePolicy(text, { timezone, homeDirectory, checkCron: (expression) => checkCron(expression)?.message });
  if ('policy' in parsed) return parsed.policy;
  const [first] = parsed.problems;
  const more = parsed.problems.length - 1;
  const where = first === undefined ? '' : ` in line ${first.line}: ${first.message}`;
  throw new Failure('usage', `the policy is not a good one${where}${more === 0 ? '' : ` (and ${more} more)`}`, {
    subject: file,
    hint: `All of it: holdfast policy check ${file}`,
  });
}
