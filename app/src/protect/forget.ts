import { isId, type Repository } from '@holdfast/engine';
import type { Point, RecoveryWindow } from '../catalog/records.ts';
import { formatCounted } from '../cli/format.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import { openAccess } from '../operations/repository-access.ts';
import type { KeepRules, Policy } from '../policy/model.ts';
import { decideRetention, type RetentionDecision } from '../retention/decide-retention.ts';
import { accessFor, type Duty, repositoryNamed } from './hands.ts';
import { pointsOf } from './point-of.ts';
import { NOTHING_CHANGED, type TaskOutcome } from './task.ts';
import { journaledSources, windowsOf } from './windows.ts';

/**
 * Forgets what no rule of the policy keeps. What is decided about is what lies in the repository now, not what is
 * remembered of it; one snapshot that cannot be read there, and nothing goes. Points of sources that the policy does not
 * name (any more) stay: to take one out of the policy is no order to remove it.
 */
export async function forgetPoints(duty: Duty, name: string): Promise<TaskOutcome> {
  const { policy } = duty.order;
  const repository = repositoryNamed(policy, name);
  const access = await accessFor(duty, repository);
  const seen = await look(duty, name, access);
  const gone: string[] = [];
  const skipped: string[] = [];
  let kept = 0;
  for (const { source, rules } of rulesAt(policy, name)) {
    const decision = decide(duty, { ...seen, source, rules, repository: name });
    kept += decision.kept.length;
    gone.push(...decision.removed.map(({ point }) => point.snapshot));
    if (decision.skipped !== undefined) skipped.push(`${source}: ${decision.skipped.because}`);
  }
  if (gone.length > 0) await forget(duty, access, gone);
  return {
    ...NOTHING_CHANGED,
    removed: gone.map((snapshot) => ({ repository: name, snapshot })),
    ...(skipped.length === 0 ? {} : { skipped: skipped.join('; ') }),
    result: {
      snapshots: [],
      bytes: 0,
      added: 0,
      findings: [],
      summary:
        `${formatCounted(kept, 'point')} kept, ${gone.length} forgotten` +
        (skipped.length === 0 ? '' : `; nothing was judged of ${skipped.join('; ')}`),
    },
  };
}

/** Pure: which sources may lie in a repository, and by which rules they are kept there: their own, or a copy's. */
export function rulesAt(policy: Policy, repository: string): { source: string; rules: KeepRules }[] {
  const own = policy.sources
    .filter((source) => source.repository === repository)
    .map(({ name, keep }) => ({ source: name, rules: keep }));
  const copied = policy.copies
    .filter(({ to }) => to === repository)
    .flatMap(({ sources, keep }) =>
      policy.sources
        .filter(({ name }) => sources.includes(name))
        .map((source) => ({ source: source.name, rules: keep ?? source.keep })),
    );
  return [...own, ...copied];
}

interface Seen {
  readonly points: readonly Point[];
  readonly windows: readonly RecoveryWindow[];
  readonly doubt?: string;
}

async function look({ hands, work }: Duty, name: string, access: RepositoryAccess): Promise<Seen> {
  await using opened = await openAccess(access, { intent: 'read', ...work }, hands.machine);
  const { points, unreadable } = await readPoints(name, opened.repository, opened.signal);
  const windows: RecoveryWindow[] = [];
  for (const source of journaledSources(points)) {
    const found = await hands.operations.listBases(access, { tag: [[`source:${source}`]] }, work);
    windows.push(...windowsOf(found, name, source));
  }
  return {
    points,
    windows,
    ...(unreadable === 0 ? {} : { doubt: `${formatCounted(unreadable, 'snapshot')} there cannot be read` }),
  };
}

async function readPoints(name: string, repository: Repository, signal: AbortSignal) {
  let unreadable = 0;
  const snapshots = await repository.loadSnapshots(signal, () => {
    unreadable += 1;
  });
  return { points: pointsOf(name, snapshots), unreadable };
}

interface Judging extends Seen {
  readonly repository: string;
  readonly source: string;
  readonly rules: KeepRules;
}

function decide(
  { order: { policy, findings }, hands }: Duty,
  { points, windows, doubt, repository, source, rules }: Judging,
): RetentionDecision {
  const { hold } = policy.sources.find(({ name }) => name === source) ?? {};
  return decideRetention({
    points: points.filter((point) => point.source === source),
    windows: windows.filter((window) => window.source === source),
    rules,
    holds: hold === undefined ? [] : [hold],
    findings: findings.filter((finding) => finding.repository === repository),
    ...(doubt === undefined ? {} : { doubt }),
    now: hands.machine.clock.now(),
    timezone: policy.timezone,
  });
}

/** The policy is the consent; what goes is on record with the run, and comes back with `repo forget --undo` for a day. */
async function forget(
  { hands, work }: Duty,
  access: RepositoryAccess,
  snapshots: readonly string[],
): Promise<void> {
  await using planned = await hands.operations.planForget(
    access,
    { snapshots: snapshots.filter(isId), groupBy: [], maxUnused: { kind: 'unlimited' }, keepDelete: 0 },
    work,
  );
  await planned.execute(work);
}
