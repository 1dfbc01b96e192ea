import type { Finding } from '@holdfast/engine';
import type { Policy, Schedule } from '../model.ts';
import { alertFindings } from './alerts.ts';
import { copyFindings } from './copies.ts';
import type { PolicyFacts } from './facts.ts';
import { freshnessFindings } from './freshness.ts';
import { hostFindings } from './hosts.ts';
import { retentionFindings } from './retention.ts';
import { spaceFindings } from './space.ts';

/** The longest time between two of a schedule's moments, in milliseconds; undefined when there are none. */
export type LongestGap = (schedule: Schedule) => number | undefined;

/**
 * Which promises of a policy cannot hold (errors), which are shakier than they look (warnings), and what could not be
 * looked at (notes). In the order of the policy.
 */
export function checkPromises(policy: Policy, facts: PolicyFacts, longestGap: LongestGap): Finding[] {
  return [
    ...hostFindings(policy, facts),
    ...freshnessFindings(policy, facts, longestGap),
    ...retentionFindings(policy, longestGap),
    ...copyFindings(policy, facts),
    ...spaceFindings(policy, facts, longestGap),
    ...alertFindings(policy),
    ...secretFindings(facts),
  ];
}

function secretFindings({ secrets }: PolicyFacts): Finding[] {
  return secrets.map(({ subject, kind, message }) => ({
    severity: 'warning',
    code: kind === 'exposed' ? 'policy.secret-exposed' : 'policy.secret-unreadable',
    subject,
    message,
    hint:
      kind === 'exposed'
        ? 'Give it to the user that Holdfast runs as alone: chmod 600.'
        : 'It must be readable where Holdfast runs; this was tried as the user who asks now.',
  }));
}
