import type { Finding } from '@holdfast/engine';
import { formatDuration } from '../duration.ts';
import type { CopyPolicy, Policy, SourcePolicy } from '../model.ts';
import { type PolicyFacts, sameHost } from './facts.ts';
import { copiesOf } from './places.ts';
import type { LongestGap } from './promises.ts';

/** Whether what is declared of an RPO can be reached by what happens when. */
export function freshnessFindings(policy: Policy, facts: PolicyFacts, longestGap: LongestGap): Finding[] {
  return policy.sources.flatMap((source) => [
    ...snapshotFindings(source, longestGap),
    ...spoolFindings(source, facts),
    ...copiesOf(policy, source.name).flatMap((copy) => copyFinding(source, copy, longestGap)),
  ]);
}

function snapshotFindings(
  { name, snapshot, journal, objective }: SourcePolicy,
  longestGap: LongestGap,
): Finding[] {
  const subject = `source ${name}`;
  const gap = longestGap(snapshot);
  if (gap === undefined) {
    const message = `No snapshot of ${name} is ever taken by itself.`;
    return [
      {
        severity: 'warning',
        code: 'policy.no-snapshot',
        subject,
        message,
        hint: 'Give it a `snapshot:` schedule.',
      },
    ];
  }
  const { rpo } = objective;
  if (rpo === undefined || journal !== undefined || gap < rpo * TIGHT) return [];
  if (gap <= rpo * BARELY) {
    return [
      {
        severity: 'warning',
        code: 'policy.rpo-tight',
        subject,
        message: `The RPO of ${name}, ${formatDuration(rpo)}, is missed by the time that a snapshot takes: up to ${formatDuration(gap)} pass between two.`,
        hint: 'Take them more often, or promise a little less.',
      },
    ];
  }
  return [
    {
      severity: 'error',
      code: 'policy.rpo-without-journal',
      subject,
      message: `The RPO of ${name}, ${formatDuration(rpo)}, cannot be kept: up to ${formatDuration(gap)} pass between snapshots, and there is no journal.`,
      hint: 'Add `journal: continuous` where the source has one, take snapshots more often, or promise less.',
    },
  ];
}

const TIGHT = 0.95;
/** A day of 25 hours, for what is taken daily. */
const BARELY = 1.05;

function spoolFindings({ name, journal }: SourcePolicy, facts: PolicyFacts): Finding[] {
  if (journal === undefined) return [];
  const here = { here: true, addresses: [] };
  const hosts = facts.sources.get(name)?.hosts ?? [];
  const known = hosts.map((host) => sameHost(host, here));
  const together =
    journal.spoolOnSourceHost ?? (known.includes(true) ? true : known.length > 0 ? false : undefined);
  if (together === false) return [];
  return [
    {
      severity: 'note',
      code: together ? 'policy.spool-on-source-host' : 'policy.spool-host-unknown',
      subject: `source ${name}`,
      message: together
        ? `The spool of ${name} is on its own host: when that is lost, only what the repository has counts.`
        : `Whether the spool of ${name} is on its host is not known: count on what the repository has.`,
      hint: together
        ? 'Run Holdfast on another machine, so that nothing is lost with this one.'
        : 'Say so with `journal: { spoolOnSourceHost: … }`.',
    },
  ];
}

/** A copy by the clock is as old as its interval, at the place that matters most. */
function copyFinding({ name, objective }: SourcePolicy, copy: CopyPolicy, longestGap: LongestGap): Finding[] {
  const { rpo } = objective;
  if (rpo === undefined || copy.after === 'each snapshot') return [];
  const gap = longestGap(copy.after);
  if (gap !== undefined && gap <= rpo) return [];
  const often = gap === undefined ? 'is never made by itself' : `is up to ${formatDuration(gap)} old`;
  return [
    {
      severity: 'warning',
      code: 'policy.rpo-copy-rarer',
      subject: `source ${name}, copy ${copy.name}`,
      message: `At ${copy.to} the RPO of ${formatDuration(rpo)} does not hold: that copy of ${name} ${often}.`,
      hint: 'With `after: each snapshot` a journal is copied as often as its RPO needs.',
    },
  ];
}
