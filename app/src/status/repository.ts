import { formatAge, formatBytes, formatCounted, formatTime } from '../cli/format.ts';
import type { RepositoryPolicy } from '../policy/model.ts';
import type { CheckFacts, Facts } from './facts.ts';
import { damageOf } from './findings.ts';
import { growthPerDay } from './growth.ts';
import { staleAfter, UNKNOWN_INTERVAL } from './patience.ts';
import type { RepositoryStatus } from './status.ts';
import { Evidence } from './verdict.ts';
import { intervalOf, judgeWork, type Moment, workOf } from './work.ts';

/** Days until it is full, below which it is said: early enough to buy a disk, and to clear one. */
const WARNING_DAYS = 14;
const CRITICAL_DAYS = 3;
/** Of what it could hold: so little left is critical whatever the trend. */
const LEAST_FREE = 0.02;

export function judgeRepository(
  repository: RepositoryPolicy,
  facts: Facts,
  moment: Moment,
): RepositoryStatus {
  const evidence = new Evidence();
  const size = judgeSize(evidence, repository, facts, moment.now);
  const check = judgeCheck(evidence, repository, facts, moment);
  const retentionAt = judgeRetention(evidence, repository, facts, moment);
  judgeDamage(evidence, repository, facts);
  return {
    name: repository.name,
    place: repository.place,
    ...size,
    check: {
      ...(check?.structureAt === undefined ? {} : { structureAt: check.structureAt }),
      ...(check?.dataRead === undefined ? {} : { dataRead: check.dataRead.fraction }),
    },
    ...(retentionAt === undefined ? {} : { retentionAt }),
    ...evidence.judged(),
  };
}

function judgeSize(
  evidence: Evidence,
  repository: RepositoryPolicy,
  facts: Facts,
  now: number,
): Pick<RepositoryStatus, 'bytes' | 'free' | 'growthPerDay' | 'daysUntilFull'> {
  const series = facts.sizes
    .filter((size) => size.repository === repository.name)
    .toSorted((a, b) => a.at - b.at);
  const newest = series.at(-1);
  if (newest === undefined) {
    evidence.miss(`How much ${repository.name} holds was never measured.`);
    return {};
  }
  evidence.look('size', newest.at);
  if (now - newest.at > staleAfter(UNKNOWN_INTERVAL)) {
    evidence.miss(`How much ${repository.name} holds was last measured ${formatAge(newest.at, now)}.`);
  }
  const { bytes } = newest;
  // The storage's own word counts for what is really left; a capacity in the policy may be the lower bound.
  const room = [
    ...(newest.free === undefined ? [] : [newest.free]),
    ...(repository.capacity === undefined ? [] : [Math.max(0, repository.capacity - bytes)]),
  ];
  const free = room.length === 0 ? undefined : Math.min(...room);
  const growth = growthPerDay(series, now);
  const days = free === undefined || growth === undefined || growth <= 0 ? undefined : free / growth;
  if (free !== undefined) {
    const scarce = free < LEAST_FREE * (repository.capacity ?? bytes + free);
    const full = scarce ? 0 : (days ?? Number.POSITIVE_INFINITY);
    if (full < WARNING_DAYS) {
      const trend =
        days === undefined
          ? ''
          : `, and it grows by ${formatBytes(growth ?? 0)} a day: full in ${inDays(days)}`;
      evidence.add({
        key: `repository ${repository.name}: filling`,
        severity: full < CRITICAL_DAYS ? 'critical' : 'warning',
        about: repository.name,
        code: 'repository.filling',
        message: `${repository.name} has ${formatBytes(free)} left${trend}.`,
        hint: 'Give it more room, or keep less: holdfast retention preview shows what would go.',
        since: newest.at,
      });
    }
  }
  return {
    bytes,
    ...(free === undefined ? {} : { free }),
    ...(growth === undefined ? {} : { growthPerDay: growth }),
    ...(days === undefined ? {} : { daysUntilFull: days }),
  };
}

function inDays(days: number): string {
  return days < 1 ? 'less than a day' : `about ${formatCounted(Math.floor(days), 'day')}`;
}

function judgeCheck(
  evidence: Evidence,
  repository: RepositoryPolicy,
  facts: Facts,
  moment: Moment,
): CheckFacts | undefined {
  const check = facts.checks.find((one) => one.repository === repository.name);
  if (check?.structureAt !== undefined) evidence.look('structure', check.structureAt);
  if (repository.check.when.kind === 'never') return check;
  const { name } = repository;
  const work = workOf(facts, 'check', name);
  judgeWork(evidence, work, { kind: 'check', about: name, subject: name }, moment);
  if (work === undefined) return check;
  const since = check?.structureAt ?? work.knownSince;
  const patience = staleAfter(intervalOf(work) ?? UNKNOWN_INTERVAL);
  if (moment.now - since <= patience) return check;
  const last =
    check?.structureAt === undefined
      ? 'has never been checked'
      : `was last checked ${formatAge(since, moment.now)}`;
  evidence.add({
    key: `repository ${name}: check overdue`,
    severity: 'warning',
    about: name,
    code: 'check.overdue',
    message: `${name} ${last}.`,
    hint: 'Damage that nobody looks for is found at the restore. Look at: holdfast runs',
    since: since + patience,
  });
  return check;
}

function judgeRetention(
  evidence: Evidence,
  repository: RepositoryPolicy,
  facts: Facts,
  moment: Moment,
): number | undefined {
  const last = facts.retentions.find((one) => one.repository === repository.name);
  const { name } = repository;
  if (repository.retention.when.kind !== 'never') {
    const work = workOf(facts, 'retention', name);
    judgeWork(evidence, work, { kind: 'retention', about: name, subject: name }, moment);
    if (last === undefined && work?.last !== undefined) {
      evidence.miss(`What the last retention of ${name} removed is not known.`);
    }
  }
  if (last === undefined) return undefined;
  evidence.look('retention', last.at);
  if (last.skipped !== undefined) {
    evidence.add({
      key: `repository ${name}: retention skipped`,
      severity: 'warning',
      about: name,
      code: 'retention.skipped',
      message: `Nothing was removed from ${name} at ${formatTime(last.at, moment.timezone)}, although it was time: ${last.skipped}`,
      hint: 'Nothing is lost by it, but the repository grows until it is mended.',
      since: last.at,
    });
  }
  return last.at;
}

function judgeDamage(evidence: Evidence, { name }: RepositoryPolicy, facts: Facts): void {
  const damage = damageOf(facts, name);
  if (damage === undefined) {
    evidence.miss('Open findings were not read.');
    return;
  }
  const first = damage[0];
  if (first === undefined) return;
  const more = damage.length === 1 ? '' : ` (and ${formatCounted(damage.length - 1, 'finding')} more)`;
  evidence.add({
    key: `repository ${name}: damaged`,
    severity: 'critical',
    about: name,
    code: 'repository.damaged',
    message: `${name} is damaged: ${first.message}${more}`,
    hint: first.hint ?? 'holdfast repo repair brings lost blobs back from another copy.',
    since: Math.min(...damage.map(({ foundAt }) => foundAt)),
  });
}
