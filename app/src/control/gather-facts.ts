import { readFindings } from '../catalog/findings.ts';
import { readJournals } from '../catalog/journals.ts';
import { type PointSummary, readSummaries } from '../catalog/point-summary.ts';
import { readPoints } from '../catalog/points.ts';
import type { OpenFinding, Point, RepositorySize, Run } from '../catalog/records.ts';
import { readLastEndedRuns, readLastGoodRuns, readRuns, readUnfinishedRuns } from '../catalog/runs.ts';
import { readSizes } from '../catalog/sizes.ts';
import { readWindows } from '../catalog/windows.ts';
import type { Policy, RepositoryPolicy } from '../policy/model.ts';
import { isGood } from '../retention/good-point.ts';
import { jitterOf } from '../schedule/jitter.ts';
import { nextOccurrence } from '../schedule/occurrence.ts';
import { previousOccurrence } from '../schedule/previous-occurrence.ts';
import type { Session } from '../state/session.ts';
import type { CheckFacts, Facts, Holding, RetentionFacts, WorkFacts } from '../status/facts.ts';
import { type PolicyWork, worksOf } from './policy-works.ts';
import { partAt } from './run-plan.ts';

export interface FactsWanted {
  readonly policy: Policy;
  /** Since when this policy is gone by. */
  readonly since: number;
  readonly now: number;
  /** Known elsewhere: how the alerts' deliveries go, where spools lie, our own sign of life. */
  readonly besides: Pick<Facts, 'beat' | 'channels' | 'spools'>;
}

/** What the catalog knows, as the judge wants it: a bounded number of questions, however many points there are. */
export async function gatherFacts(
  session: Session,
  { policy, since, now, besides }: FactsWanted,
): Promise<Facts> {
  const works = worksOf(policy, new Map());
  const ended = await readLastEndedRuns(session, works);
  const good = await readLastGoodRuns(session, works);
  const open = await readUnfinishedRuns(session);
  const findings = await readFindings(session);
  const sizes = await readSizes(session, now - SERIES_MS);
  const checks: CheckFacts[] = [];
  for (const repository of policy.repositories) {
    checks.push(await checkFacts(session, repository, good, now));
  }
  return {
    ...besides,
    holdings: await holdings(session, { policy, sizes, findings, good }),
    windows: await readWindows(session),
    journals: await readJournals(session),
    work: works.map((work) => workFacts(work, { ended, good, open, since, now })),
    sizes,
    checks,
    retentions: good.flatMap(retentionFacts),
    findings,
  };
}

interface Known {
  readonly ended: readonly Run[];
  readonly good: readonly Run[];
  readonly open: readonly Run[];
  readonly since: number;
  readonly now: number;
}

function workFacts(work: PolicyWork, { ended, good, open, since, now }: Known): WorkFacts {
  const { kind, about, schedule, name } = work;
  const isOfIt = (run: Run) => run.kind === kind && run.about === about;
  const jitter = jitterOf(name, schedule);
  const previousDue = previousOccurrence(schedule, now - jitter);
  const nextDue = nextOccurrence(schedule, now - jitter);
  const last = ended.find(isOfIt);
  const running = open.find(isOfIt);
  const usual = durationOf(good.find(isOfIt));
  return {
    kind,
    about,
    knownSince: since,
    ...(previousDue === undefined ? {} : { previousDue: previousDue + jitter }),
    ...(nextDue === undefined ? {} : { nextDue: nextDue + jitter }),
    ...(last === undefined ? {} : { last }),
    ...(running === undefined ? {} : { open: running }),
    ...(usual === undefined ? {} : { usual }),
  };
}

function durationOf(run: Run | undefined): number | undefined {
  if (run?.startedAt === undefined || run.endedAt === undefined) return undefined;
  return run.endedAt - run.startedAt;
}

interface Held {
  readonly policy: Policy;
  readonly sizes: readonly RepositorySize[];
  readonly findings: readonly OpenFinding[];
  readonly good: readonly Run[];
}

async function holdings(session: Session, held: Held): Promise<Holding[]> {
  const { policy } = held;
  const summaries = (await readSummaries(session)).filter(({ kind }) => RESTORABLE.includes(kind));
  const places = [
    ...policy.sources.map(({ name, repository }) => ({ source: name, repository })),
    ...policy.copies.flatMap(({ to, sources }) => sources.map((source) => ({ source, repository: to }))),
  ];
  const byPlace = Map.groupBy(summaries, ({ repository, source }) => `${repository} ${source}`);
  const seen = new Map(policy.repositories.map(({ name }) => [name, seenAtOf(name, held)]));
  const found: Holding[] = [];
  for (const place of places) {
    const seenAt = seen.get(place.repository);
    if (seenAt === undefined) continue;
    const ofIt = byPlace.get(`${place.repository} ${place.source}`) ?? [];
    found.push({ ...place, seenAt, ...(await countOf(session, ofIt, held.findings)) });
  }
  return found;
}

async function countOf(
  session: Session,
  summaries: readonly PointSummary[],
  findings: readonly OpenFinding[],
) {
  const points = summaries.reduce((sum, { count }) => sum + count, 0);
  const newest = newestOf(summaries.map((summary) => summary.newest));
  const complete = newestOf(summaries.flatMap(({ newestComplete }) => newestComplete ?? []));
  const touching = findings.filter(({ repository }) => repository === newest?.repository);
  const isSound = complete === undefined || isGood(complete, touching);
  const good = isSound ? complete : await newestGood(session, complete, touching);
  return {
    points,
    ...(summaries.length === 0 ? {} : { oldest: Math.min(...summaries.map(({ oldest }) => oldest)) }),
    ...(newest === undefined ? {} : { newest }),
    ...(good === undefined ? {} : { newestGood: good }),
  };
}

/** Damage is rare: only then all points are read. */
async function newestGood(
  session: Session,
  { repository, source }: Point,
  findings: readonly OpenFinding[],
): Promise<Point | undefined> {
  const points = await readPoints(session, { repository, source, kinds: RESTORABLE });
  return points.find((point) => isGood(point, findings));
}

function newestOf(points: readonly Point[]): Point | undefined {
  return points.toSorted((a, b) => b.time - a.time)[0];
}

/** When a repository was looked at last, or written to by us. */
function seenAtOf(repository: string, { sizes, good, policy }: Held): number | undefined {
  const surveyed = sizes.filter((size) => size.repository === repository).map(({ at }) => at);
  const written = good.flatMap(({ kind, about, endedAt }) => {
    const target =
      kind === 'snapshot'
        ? policy.sources.find(({ name }) => name === about)?.repository
        : kind === 'copy'
          ? policy.copies.find(({ name }) => name === about)?.to
          : undefined;
    return target === repository && endedAt !== undefined ? [endedAt] : [];
  });
  const times = [...surveyed, ...written];
  return times.length === 0 ? undefined : Math.max(...times);
}

/** How much of the data was read back since when, from the checks that were done. */
async function checkFacts(
  session: Session,
  { name: repository, check }: RepositoryPolicy,
  good: readonly Run[],
  now: number,
): Promise<CheckFacts> {
  const last = good.find(({ kind, about }) => kind === 'check' && about === repository);
  const { of } = partAt(now, check.everything);
  const since = now - check.everything;
  const parts = new Set<number>();
  let first = now;
  for (const run of await readRuns(session, { kind: 'check', about: repository, most: MOST_CHECKS })) {
    if ((run.state !== 'succeeded' && run.state !== 'incomplete') || run.dueAt < since) continue;
    parts.add(partAt(run.dueAt, check.everything).part);
    first = Math.min(first, run.endedAt ?? now);
  }
  return {
    repository,
    ...(last?.endedAt === undefined ? {} : { structureAt: last.endedAt }),
    ...(of === 0 || parts.size === 0 ? {} : { dataRead: { fraction: parts.size / of, since: first } }),
  };
}

function retentionFacts({ kind, about, endedAt, steps }: Run): RetentionFacts[] {
  if (kind !== 'retention' || endedAt === undefined) return [];
  const skipped = steps.find(({ failure }) => failure?.code === SKIPPED)?.failure?.message;
  return [{ repository: about, at: endedAt, ...(skipped === undefined ? {} : { skipped }) }];
}

/** What a step that went well says when it was time to remove something, and nothing was. */
export const SKIPPED = 'retention.skipped';

const RESTORABLE: readonly Point['kind'][] = ['snapshot', 'base'];
/** For the trend of sizes. */
const SERIES_MS = 60 * 86_400_000;
const MOST_CHECKS = 400;
