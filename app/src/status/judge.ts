import type { Policy } from '../policy/model.ts';
import { judgeCopy } from './copy.ts';
import type { Facts } from './facts.ts';
import { judgeHoldfast } from './holdfast.ts';
import { judgeRepository } from './repository.ts';
import { judgeSource } from './source.ts';
import type { Status } from './status.ts';
import { worstFirst, worstVerdict } from './verdict.ts';

/**
 * Where reality and policy part. Nothing is taken from what a run said of itself: what counts is what is known to be in
 * the repositories, and when that was last looked at. Taking a fact away makes no verdict better; it stays, gets worse,
 * or becomes unknown.
 */
export function judge(situation: { policy: Policy; facts: Facts; now: number }): Status {
  const { policy, facts, now } = situation;
  const moment = { now, timezone: policy.timezone };
  const sources = policy.sources.map((source) => judgeSource(policy, source, facts, moment));
  const copies = policy.copies.map((copy) => judgeCopy(policy, copy, facts, moment));
  const repositories = policy.repositories.map((repository) => judgeRepository(repository, facts, moment));
  const holdfast = judgeHoldfast(policy, facts, now);
  const all = [...sources, ...copies, ...repositories, holdfast];
  return {
    stack: policy.stack,
    at: now,
    timezone: policy.timezone,
    verdict: worstVerdict(all.map(({ verdict }) => verdict)),
    sources,
    copies,
    repositories,
    holdfast,
    problems: all.flatMap(({ problems }) => problems).toSorted(worstFirst),
  };
}
