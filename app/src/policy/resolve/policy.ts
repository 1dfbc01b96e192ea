import { DEFAULTS } from '../defaults.ts';
import type { Policy } from '../model.ts';
import type { PolicyInput } from '../schema/policy.ts';
import { resolveAlerts } from './alerts.ts';
import { resolveCopies } from './copies.ts';
import { resolveRepository } from './repository.ts';
import { resolveSource } from './source.ts';
import type { Surroundings } from './surroundings.ts';
import { resolveRates } from './values.ts';

/** Fills in every default. What is given has the right form and is consistent. */
export function resolvePolicy(input: PolicyInput, outside: Surroundings): Policy {
  const timezone = input.timezone ?? outside.timezone;
  const surroundings = { ...outside, timezone };
  const [first = ''] = Object.keys(input.repositories);
  const sources = Object.entries(input.sources).map(([name, source]) =>
    resolveSource(name, source, first, surroundings),
  );
  const { limits = {} } = input;
  return {
    stack: input.stack ?? DEFAULTS.stack,
    timezone,
    repositories: Object.entries(input.repositories).map(([name, repository]) =>
      resolveRepository(name, repository, surroundings),
    ),
    sources,
    copies: resolveCopies(input.copies ?? [], sources, timezone),
    alerts: resolveAlerts(input.alerts, surroundings),
    limits: {
      runs: limits.runs ?? DEFAULTS.runs,
      perSource: limits.perSource ?? DEFAULTS.perSource,
      perRepository: limits.perRepository ?? DEFAULTS.perRepository,
      ...resolveRates(limits),
    },
  };
}
