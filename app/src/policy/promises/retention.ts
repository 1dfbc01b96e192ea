import type { Finding } from '@holdfast/engine';
import { formatDuration } from '../duration.ts';
import type { KeepRules, Policy } from '../model.ts';
import type { LongestGap } from './promises.ts';

/** Whether what is kept is what somebody who reads the rules would expect. */
export function retentionFindings(policy: Policy, longestGap: LongestGap): Finding[] {
  const { sources, copies, repositories } = policy;
  return [
    ...sources.flatMap(({ name, keep, snapshot }) =>
      shortFinding(`source ${name}`, keep, longestGap(snapshot)),
    ),
    ...copies.flatMap((copy) =>
      sources
        .filter(({ name }) => copy.keep !== undefined && copy.sources.includes(name))
        .flatMap(({ name, snapshot }) =>
          shortFinding(`copy ${copy.name}, source ${name}`, copy.keep ?? {}, longestGap(snapshot)),
        ),
    ),
    ...repositories
      .filter(({ retention }) => longestGap(retention) === undefined)
      .map(
        ({ name }): Finding => ({
          severity: 'note',
          code: 'policy.no-retention',
          subject: `repository ${name}`,
          message: `Nothing is ever removed from ${name} by itself: it grows until it is full.`,
        }),
      ),
    ...repositories
      .filter(({ check }) => longestGap(check) === undefined)
      .map(
        ({ name }): Finding => ({
          severity: 'warning',
          code: 'policy.no-check',
          subject: `repository ${name}`,
          message: `Repository ${name} is never checked: no point in it counts as good.`,
          hint: 'Give it a `check:` schedule.',
        }),
      ),
  ];
}

function shortFinding(subject: string, keep: KeepRules, gap: number | undefined): Finding[] {
  const { for: span, ...counts } = keep;
  if (gap === undefined || span === undefined || span >= gap || Object.keys(counts).length > 0) return [];
  return [
    {
      severity: 'warning',
      code: 'policy.retention-short',
      subject,
      message: `What is kept for ${formatDuration(span)} is gone before the next one comes: up to ${formatDuration(gap)} pass between snapshots.`,
      hint: 'The newest good one stays in any case. Keep longer, or take them more often.',
    },
  ];
}
