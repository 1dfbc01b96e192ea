import { formatDuration } from '../cli/format.ts';
import type { CopyPolicy, Policy } from '../policy/model.ts';
import { followingOf } from './copies.ts';
import type { Facts } from './facts.ts';
import type { CopyStatus } from './status.ts';
import { Evidence } from './verdict.ts';
import { judgeWork, type Moment, nextRunOf, runningSince, workOf } from './work.ts';

export function judgeCopy(policy: Policy, copy: CopyPolicy, facts: Facts, moment: Moment): CopyStatus {
  const evidence = new Evidence();
  const work = workOf(facts, 'copy', copy.name);
  judgeWork(evidence, work, { kind: 'copy', about: copy.name, subject: copy.name }, moment);
  let behind: number | undefined;
  for (const name of copy.sources) {
    const source = policy.sources.find((one) => one.name === name);
    if (source === undefined) continue;
    const following = followingOf(policy, source, copy.to, facts, moment.now);
    if (following.state === 'unknown') evidence.miss(`How far ${name} is in ${copy.to} is not known.`);
    else behind = Math.max(behind ?? 0, following.state === 'equal' ? 0 : following.behind);
    if (following.state !== 'behind' || !following.late) continue;
    const distance =
      following.behind === 0 ? 'has nothing of it yet' : `is ${formatDuration(following.behind)} behind`;
    evidence.add({
      key: `copy ${copy.name}: ${name} behind`,
      severity: 'warning',
      about: copy.name,
      code: 'copy.behind',
      message: `The newest point of ${name} has not reached ${copy.to}, which ${distance}.`,
      hint: 'The next copy brings all that is missing. Look at: holdfast runs',
      since: following.since,
    });
  }
  const next = nextRunOf(work);
  const running = runningSince(work);
  return {
    name: copy.name,
    after: copy.after === 'each snapshot' ? 'each snapshot' : 'schedule',
    ...(behind === undefined ? {} : { behind }),
    ...(next === undefined ? {} : { nextRun: next }),
    ...(running === undefined ? {} : { runningSince: running }),
    ...evidence.judged(),
  };
}
