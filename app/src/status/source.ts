import { formatAge } from '../cli/format.ts';
import type { Policy, SourcePolicy } from '../policy/model.ts';
import { judgeCopies } from './copies.ts';
import { exposureProblems, exposuresOf, holdingOf } from './exposure.ts';
import type { Facts, Holding } from './facts.ts';
import { judgeFindings } from './findings.ts';
import { judgeJournal, windowsOf } from './journal.ts';
import { staleAfter, UNKNOWN_INTERVAL } from './patience.ts';
import type { SourceStatus } from './status.ts';
import { Evidence } from './verdict.ts';
import { intervalOf, judgeWork, type Moment, nextRunOf, runningSince, workOf } from './work.ts';

export function judgeSource(
  policy: Policy,
  source: SourcePolicy,
  facts: Facts,
  moment: Moment,
): SourceStatus {
  const { now } = moment;
  const evidence = new Evidence();
  const work = workOf(facts, 'snapshot', source.name);
  const scheduled = source.snapshot.when.kind !== 'never';
  if (scheduled) {
    const what = { kind: 'snapshot', about: source.name, subject: source.name } as const;
    judgeWork(evidence, work, what, moment);
  }
  judgeJournal(evidence, source, facts, moment);
  const exposure = exposuresOf(policy, source, facts, now);
  evidence.add(...exposureProblems(source, facts, exposure, now));
  const copies = judgeCopies(evidence, policy, source, facts, now);
  const holding = holdingOf(facts, source.name, source.repository);
  if (scheduled) judgeAge(evidence, source, holding, intervalOf(work) ?? UNKNOWN_INTERVAL, now);
  judgeFindings(evidence, source, facts);
  const good = holding?.newestGood;
  const window = windowsOf(facts, source.name, source.repository).at(-1);
  const next = nextRunOf(work);
  const running = runningSince(work);
  return {
    name: source.name,
    kind: source.system.kind,
    objective: source.objective,
    exposure,
    copies,
    ...(window === undefined ? {} : { window: { from: window.from, to: window.to } }),
    ...(good === undefined ? {} : { lastGood: { time: good.time, snapshot: good.snapshot } }),
    ...(holding === undefined ? {} : { points: holding.points }),
    ...(next === undefined ? {} : { nextRun: next }),
    ...(running === undefined ? {} : { runningSince: running }),
    ...evidence.judged(),
  };
}

/** Good is what was seen recently enough, whatever the runs say of themselves. */
function judgeAge(
  evidence: Evidence,
  source: SourcePolicy,
  holding: Holding | undefined,
  interval: number,
  now: number,
): void {
  if (holding === undefined) return;
  const { newestGood, seenAt, points } = holding;
  if (newestGood === undefined) {
    if (points === 0) evidence.miss(`Nothing of ${source.name} has been saved yet.`);
    return;
  }
  const patience = staleAfter(interval);
  if (now - newestGood.time > patience) {
    evidence.miss(`The newest good point of ${source.name} is from ${formatAge(newestGood.time, now)}.`);
  }
  if (now - seenAt > patience) {
    evidence.miss(`${source.repository} was last looked at ${formatAge(seenAt, now)}.`);
  }
}
