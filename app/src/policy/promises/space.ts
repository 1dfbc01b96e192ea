import type { Finding } from '@holdfast/engine';
import type { KeepRules, Policy, RepositoryPolicy, SourcePolicy } from '../model.ts';
import type { PolicyFacts } from './facts.ts';
import { repositoriesOf } from './places.ts';
import type { LongestGap } from './promises.ts';

/** Of a source a snapshot adds on average, where none is known yet: a guess, and told as one. */
const USUAL_CHANGE = 0.02;
/** Compressed and without duplicates less is needed; a forecast that says so must have measured it. */
const NEARLY_FULL = 0.85;

/** Whether what is to be kept fits into what there is. What is not known is said: it is never taken for enough. */
export function spaceFindings(policy: Policy, facts: PolicyFacts, longestGap: LongestGap): Finding[] {
  return policy.repositories.flatMap((repository) => {
    const held = policy.sources.filter((source) =>
      repositoriesOf(policy, source.name).some(({ name }) => name === repository.name),
    );
    return held.length === 0 ? [] : spaceFinding(repository, held, { policy, facts, longestGap });
  });
}

interface Knowledge {
  readonly policy: Policy;
  readonly facts: PolicyFacts;
  readonly longestGap: LongestGap;
}

function spaceFinding(
  repository: RepositoryPolicy,
  sources: readonly SourcePolicy[],
  { policy, facts, longestGap }: Knowledge,
): Finding[] {
  const subject = `repository ${repository.name}`;
  const { free, bytes } = facts.repositories.get(repository.name) ?? {};
  const room = repository.capacity ?? (free === undefined ? undefined : free + (bytes ?? 0));
  const needs = sources.map((source) =>
    needOf(source, keepAt(policy, repository, source), facts, longestGap),
  );
  const unsized = sources.filter((_, at) => needs[at] === undefined).map(({ name }) => name);
  if (room === undefined || unsized.length > 0) {
    const what = room === undefined ? `how much it holds` : `the size of ${unsized.join(', ')}`;
    return [
      {
        severity: 'note',
        code: 'policy.space-unknown',
        subject,
        message: `Whether the retention fits into ${repository.name} is not known: nobody knows ${what}.`,
        ...(room === undefined ? { hint: 'Say it with `capacity:`.' } : {}),
      },
    ];
  }
  const need = needs.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  if (need <= room * NEARLY_FULL) return [];
  const full = need > room;
  return [
    {
      severity: full ? 'error' : 'warning',
      code: full ? 'policy.space-short' : 'policy.space-tight',
      subject,
      message: `The retention needs about ${roughSize(need)} and ${repository.name} has ${roughSize(room)}.`,
      hint: 'Counted without compression. Keep less, or give it more room.',
    },
  ];
}

/** The first snapshot whole, each other one what it adds. */
function needOf(
  { name, snapshot }: SourcePolicy,
  keep: KeepRules,
  facts: PolicyFacts,
  longestGap: LongestGap,
): number | undefined {
  const { bytes, added } = facts.sources.get(name) ?? {};
  if (bytes === undefined) return undefined;
  const gap = longestGap(snapshot);
  const inSpan = keep.for === undefined || gap === undefined ? 0 : Math.ceil(keep.for / gap);
  const { last = 0, hourly = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0 } = keep;
  const kept = Math.max(1, inSpan + last + hourly + daily + weekly + monthly + yearly);
  return bytes + (kept - 1) * (added ?? bytes * USUAL_CHANGE);
}

function keepAt({ copies }: Policy, repository: RepositoryPolicy, source: SourcePolicy): KeepRules {
  if (source.repository === repository.name) return source.keep;
  const copy = copies.find(({ to, sources }) => to === repository.name && sources.includes(source.name));
  return copy?.keep ?? source.keep;
}

function roughSize(bytes: number): string {
  const power = Math.min(5, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${['B', 'kB', 'MB', 'GB', 'TB', 'PB'][power]}`;
}
