import type { Policy, Rates } from '../policy/model.ts';
import type { RatesAt } from '../protect/task.ts';
import type { UnfinishedRun } from '../queue/new-run.ts';
import { shareRates } from '../schedule/share-rates.ts';
import { scopeOf } from './policy-works.ts';

/**
 * Pure: what each of the runs at work may use of each repository: its part of what the repository allows, of what the
 * policy allows in all, and never more than its source does. All of them together keep to the policy.
 */
export function sharesOf(
  policy: Policy,
  running: readonly Pick<UnfinishedRun, 'kind' | 'about'>[],
): RatesAt[] {
  const scopes = running.map(({ kind, about }) => scopeOf(policy, kind, about));
  const owns = scopes.map(({ source }) => policy.sources.find(({ name }) => name === source)?.limits ?? {});
  const shares = scopes.map((): Record<string, Rates> => ({}));
  for (const { name, limits } of policy.repositories) {
    const there = [...scopes.keys()].filter((index) => scopes[index]?.repositories.includes(name));
    const parts = shareRates(
      limits,
      there.map((index) => owns[index] ?? {}),
    );
    for (const [at, index] of there.entries()) Object.assign(shares[index] ?? {}, { [name]: parts[at] });
  }
  const inAll = shareRates(
    ratesOf(policy.limits),
    shares.map((share) => loosest(Object.values(share))),
  );
  return shares.map((share, index) =>
    Object.fromEntries(Object.entries(share).map(([name, part]) => [name, lower(inAll[index] ?? {}, part)])),
  );
}

/** Pure: what a journal may use. It is never made to share: it moves little, and what waits in its spool is at stake. */
export function journalRates(policy: Policy, source: string): RatesAt {
  const { repository = '', limits = {} } = policy.sources.find(({ name }) => name === source) ?? {};
  const there = policy.repositories.find(({ name }) => name === repository)?.limits ?? {};
  return { [repository]: lower(ratesOf(policy.limits), lower(there, limits)) };
}

/** Whether a policy has any: else nobody has to be told anything. */
export function hasRates({ limits, repositories, sources }: Policy): boolean {
  const all = [ratesOf(limits), ...[...repositories, ...sources].map((one) => one.limits)];
  return all.some((rates) => KINDS.some((kind) => rates[kind] !== undefined));
}

const KINDS = ['upload', 'download', 'requests'] as const;

/** Limits of runs without their number. */
function ratesOf(limits: Rates): Rates {
  return Object.fromEntries(
    KINDS.flatMap((kind) => (limits[kind] === undefined ? [] : [[kind, limits[kind]]])),
  );
}

/** The lower one of each kind. */
function lower(whole: Rates, own: Rates): Rates {
  return shareRates(whole, [own])[0] ?? {};
}

/** What somebody with all of these can use at most: a copy loads at one place and saves at another. */
function loosest(all: readonly Rates[]): Rates {
  return ratesOf(
    Object.fromEntries(
      KINDS.flatMap((kind) => {
        const rates = all.flatMap((rates) => rates[kind] ?? []);
        return rates.length < all.length || rates.length === 0 ? [] : [[kind, Math.max(...rates)]];
      }),
    ),
  );
}
