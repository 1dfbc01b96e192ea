import type { CopyPolicy, Policy, SourcePolicy } from '../policy/model.ts';
import { holdingOf, homesOf } from './exposure.ts';
import type { Facts } from './facts.ts';
import { copyGrace, UNKNOWN_INTERVAL } from './patience.ts';
import type { Copies } from './status.ts';
import type { Evidence } from './verdict.ts';
import { intervalOf, workOf } from './work.ts';

/** How a place stands to the source's own repository. Milliseconds behind; `late`: longer than a copy may take. */
export type Following =
  | { readonly state: 'unknown' }
  | { readonly state: 'equal' }
  | { readonly state: 'behind'; readonly behind: number; readonly since: number; readonly late: boolean };

/** Compares the newest good points; what has just been made is given time to be carried over. */
export function followingOf(
  policy: Policy,
  source: SourcePolicy,
  repository: string,
  facts: Facts,
  now: number,
): Following {
  const here = holdingOf(facts, source.name, source.repository);
  const there = holdingOf(facts, source.name, repository);
  if (here === undefined || there === undefined) return { state: 'unknown' };
  const from = here.newestGood;
  const to = there.newestGood;
  if (from === undefined) return { state: 'unknown' };
  if (to !== undefined && (to.original === from.original || to.time >= from.time)) return { state: 'equal' };
  const copy = policy.copies.find(
    (one) => one.from === source.repository && one.to === repository && one.sources.includes(source.name),
  );
  const work = workOf(facts, 'snapshot', source.name);
  // How long it may take depends on how often there is something new.
  if (work === undefined) return { state: 'unknown' };
  const made = intervalOf(work) ?? UNKNOWN_INTERVAL;
  const interval = Math.max(made, copyInterval(copy, facts));
  const since = from.time;
  const lastThere = to?.time ?? here.oldest ?? from.time;
  // Each new point would begin the wait anew: beyond two intervals nothing is on its way any more.
  const late = now - since > copyGrace(interval) || now - lastThere > 2 * interval + copyGrace(interval);
  return { state: 'behind', behind: since - (to?.time ?? since), since, late };
}

function copyInterval(copy: CopyPolicy | undefined, facts: Facts): number {
  if (copy === undefined || copy.after === 'each snapshot') return 0;
  return intervalOf(workOf(facts, 'copy', copy.name)) ?? UNKNOWN_INTERVAL;
}

/** Counts the repositories that hold the newest good point, and the different places among them. */
export function judgeCopies(
  evidence: Evidence,
  policy: Policy,
  source: SourcePolicy,
  facts: Facts,
  now: number,
): Copies {
  const homes = homesOf(policy, source);
  const placeOf = (name: string) => policy.repositories.find((one) => one.name === name)?.place ?? name;
  const holds = homes.filter((repository) => {
    if (repository === source.repository) {
      return holdingOf(facts, source.name, repository)?.newestGood !== undefined;
    }
    const following = followingOf(policy, source, repository, facts, now);
    return following.state === 'equal' || (following.state === 'behind' && !following.late);
  });
  for (const repository of homes) {
    const holding = holdingOf(facts, source.name, repository);
    if (holding === undefined) {
      evidence.miss(`Nobody has looked for ${source.name} in ${repository}.`);
    } else evidence.look(`points in ${repository}`, holding.seenAt);
  }
  const places = [...new Set(holds.map(placeOf))];
  const { objective } = source;
  const wanted = objective.copies ?? homes.length;
  const wantedPlaces = objective.places ?? 1;
  const none = homes.every((name) => holdingOf(facts, source.name, name)?.newestGood === undefined);
  // Where there is nothing yet, that is said elsewhere.
  if (!none && (holds.length < wanted || places.length < wantedPlaces)) {
    const promised = objective.copies !== undefined || objective.places !== undefined;
    const lacking = homes.filter((name) => !holds.includes(name));
    evidence.add({
      key: `source ${source.name}: too few copies`,
      severity: promised ? 'critical' : 'warning',
      about: source.name,
      code: 'copies.too-few',
      message:
        holds.length < wanted
          ? `The newest point of ${source.name} is in ${holds.length} of ${wanted} repositories.`
          : `The newest point of ${source.name} is at ${places.length} of ${wantedPlaces} places.`,
      hint:
        lacking.length === 0
          ? 'The policy has no copy that would bring it elsewhere: holdfast policy check'
          : `It is missing in ${lacking.join(', ')}; the next copy brings it.`,
      since: holdingOf(facts, source.name, source.repository)?.newestGood?.time ?? now,
    });
  }
  return { have: holds.length, wanted, places, wantedPlaces };
}
