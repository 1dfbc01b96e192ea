import type { Problem } from '../alert/incident.ts';
import { formatDuration } from '../cli/format.ts';
import type { Policy, SourcePolicy } from '../policy/model.ts';
import type { Facts, Holding } from './facts.ts';
import { journalOf, openGapOf, windowsOf } from './journal.ts';
import { copyGrace, runGrace, UNKNOWN_INTERVAL } from './patience.ts';
import type { Exposures } from './status.ts';
import { intervalOf, workOf } from './work.ts';

/** Of the objective, before a journal that falls behind is mentioned. */
const ALARMING_PART = 0.8;

/** The source's own repository first, then those that its points are copied to. */
export function homesOf(policy: Policy, source: SourcePolicy): readonly string[] {
  const targets = policy.copies
    .filter((copy) => copy.from === source.repository && copy.sources.includes(source.name))
    .map(({ to }) => to);
  return [...new Set([source.repository, ...targets])];
}

export function holdingOf(facts: Facts, source: string, repository: string): Holding | undefined {
  return facts.holdings.find((holding) => holding.source === source && holding.repository === repository);
}

/** What would be lost if it happened now. */
export function exposuresOf(policy: Policy, source: SourcePolicy, facts: Facts, now: number): Exposures {
  const journal = source.journal === undefined ? undefined : journalOf(facts, source.name);
  const spool =
    journal?.spoolMoment === undefined ||
    sharesHost(source, facts) ||
    openGapOf(facts, source.name, source.repository) !== undefined
      ? undefined
      : now - journal.spoolMoment;
  const homes = homesOf(policy, source);
  const measured = homes
    .map((repository) => ({ repository, milliseconds: exposureAt(policy, repository, source, facts, now) }))
    .filter((one): one is { repository: string; milliseconds: number } => one.milliseconds !== undefined);
  const repository = measured.find((one) => one.repository === source.repository)?.milliseconds;
  // Of a place that nobody has looked at nothing can be said, so nothing is said of the farthest then.
  const farthest =
    measured.length < homes.length
      ? undefined
      : measured.toSorted((a, b) => b.milliseconds - a.milliseconds)[0];
  const all = [...(spool === undefined ? [] : [spool]), ...measured.map(({ milliseconds }) => milliseconds)];
  return {
    ...(spool === undefined ? {} : { spool }),
    ...(repository === undefined ? {} : { repository }),
    ...(farthest === undefined ? {} : { farthest }),
    ...(all.length === 0 ? {} : { best: Math.max(0, Math.min(...all)) }),
  };
}

/** Unless somebody knows better, the spool goes down with its source. */
function sharesHost(source: SourcePolicy, facts: Facts): boolean {
  const found = facts.spools.find((spool) => spool.source === source.name)?.onSourceHost;
  return source.journal?.spoolOnSourceHost ?? found ?? true;
}

function exposureAt(
  policy: Policy,
  repository: string,
  source: SourcePolicy,
  facts: Facts,
  now: number,
): number | undefined {
  const newest = newestMoment(policy, repository, source, facts);
  return newest === undefined ? undefined : Math.max(0, now - newest);
}

function newestMoment(
  policy: Policy,
  repository: string,
  source: SourcePolicy,
  facts: Facts,
): number | undefined {
  const good = holdingOf(facts, source.name, repository)?.newestGood?.time;
  if (source.journal === undefined || good === undefined) return good;
  const window = windowsOf(facts, source.name, repository).at(-1)?.to ?? good;
  // Behind a gap the journal leads nowhere, however fresh it is.
  const gap = openGapOf(facts, source.name, source.repository);
  const { repositoryMoment: shipped, seenAt = 0 } = journalOf(facts, source.name) ?? {};
  if (gap !== undefined || shipped === undefined) return Math.max(good, window);
  if (repository === source.repository) return Math.max(good, window, shipped);
  // A database at rest makes no slices. A copy that went well brought all that there was when it began: what the journal
  // had written there by then, which was as old as it is now.
  const carried = carriedAt(policy, repository, source, facts);
  return Math.max(good, window, carried === undefined ? 0 : Math.min(shipped, carried - (seenAt - shipped)));
}

/** When the last copy of a source to a repository began, if it went well. */
function carriedAt(
  { copies }: Policy,
  repository: string,
  source: SourcePolicy,
  facts: Facts,
): number | undefined {
  const begun = copies
    .filter(({ to, from, sources }) => {
      return to === repository && from === source.repository && sources.includes(source.name);
    })
    .flatMap(({ name }) => {
      const last = workOf(facts, 'copy', name)?.last;
      return last?.state === 'succeeded' && last.startedAt !== undefined ? [last.startedAt] : [];
    });
  return begun.length === 0 ? undefined : Math.max(...begun);
}

export function exposureProblems(
  source: SourcePolicy,
  facts: Facts,
  exposure: Exposures,
  now: number,
): Problem[] {
  const { rpo } = source.objective;
  const work = workOf(facts, 'snapshot', source.name);
  const interval = intervalOf(work) ?? UNKNOWN_INTERVAL;
  const holding = holdingOf(facts, source.name, source.repository);
  const problem = (kind: 'exceeded' | 'at-risk', message: string, since: number): Problem => ({
    key: `source ${source.name}: rpo ${kind}`,
    severity: kind === 'exceeded' ? 'critical' : 'warning',
    about: source.name,
    code: `rpo.${kind}`,
    message,
    hint:
      source.journal === undefined
        ? 'The next good snapshot mends it. Look at: holdfast runs'
        : 'It is mended when the journal has caught up. Look at: holdfast status --json',
    since: Math.min(since, now),
  });
  if (holding !== undefined && holding.points > 0 && holding.newestGood === undefined) {
    const message = `None of the points of ${source.name} in ${source.repository} is good: all are incomplete or damaged.`;
    return [problem('exceeded', message, holding.newest?.time ?? now)];
  }
  if (rpo === undefined) return [];
  const { best, farthest } = exposure;
  if (best === undefined) {
    // Looked at, and nothing there: from the day that it was promised.
    if (holding === undefined || work === undefined || now - work.knownSince <= rpo + runGrace(interval))
      return [];
    return [problem('exceeded', `Nothing of ${source.name} has been saved yet.`, work.knownSince + rpo)];
  }
  const promised = `${formatDuration(rpo)} were promised`;
  const grace = source.journal === undefined ? runGrace(interval) : 0;
  if (best > rpo + grace) {
    return [
      problem(
        'exceeded',
        `${formatDuration(best)} of the work in ${source.name} would be lost now; ${promised}.`,
        now - best + rpo,
      ),
    ];
  }
  const alarming = source.journal === undefined ? rpo : rpo * ALARMING_PART;
  if (best > alarming && (source.journal !== undefined || work?.open === undefined)) {
    return [
      problem(
        'at-risk',
        `${formatDuration(best)} of the work in ${source.name} would be lost now; ${promised}, and no more.`,
        now - best + alarming,
      ),
    ];
  }
  // What a journal adds is carried over twice in an RPO, and may be as old as that when it leaves.
  const allowed = rpo + copyGrace(source.journal === undefined ? interval : rpo / 2);
  if (farthest === undefined || farthest.milliseconds <= allowed) return [];
  return [
    problem(
      'at-risk',
      `${formatDuration(farthest.milliseconds)} of the work in ${source.name} would be lost if only ${farthest.repository} were left; ${promised}.`,
      now - farthest.milliseconds + allowed,
    ),
  ];
}
