import { readPolicyText } from '../../control/policy-file.ts';
import { type ParsedPolicy, parsePolicy } from '../../policy/parse.ts';
import { checkCron } from '../../schedule/cron.ts';
import type { Machine } from '../machine.ts';

export type PolicyMachine = Pick<Machine, 'timeZone' | 'homeDirectory'>;

/** Rejects with `usage` when there is no such file. */
export async function readPolicy(
  file: string,
  { timeZone, homeDirectory }: PolicyMachine,
): Promise<ParsedPolicy> {
  const { text } = await readPolicyText(file);
  return parsePolicy(text, { timezone: timeZone, homeDirectory, checkCron });
}
