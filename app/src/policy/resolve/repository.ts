import { DEFAULTS } from '../defaults.ts';
import type { PlainOrSecret, RepositoryPolicy } from '../model.ts';
import { defaultPlace } from '../place.ts';
import type { PolicyInput } from '../schema/policy.ts';
import { parseSize } from '../size.ts';
import { absolutePath, type Surroundings } from './surroundings.ts';
import { resolveCheck, resolveRates, resolveSchedule, resolveSecret, resolveText } from './values.ts';

export function resolveRepository(
  name: string,
  input: PolicyInput['repositories'][string],
  surroundings: Surroundings,
): RepositoryPolicy {
  const url = resolveUrl(input.url, surroundings);
  return {
    name,
    url,
    password: resolveSecret(input.password, surroundings),
    options: Object.entries(input.options ?? {}).map(([option, value]) => ({
      name: option,
      value: resolveText(typeof value === 'object' ? value : String(value), surroundings),
    })),
    place: input.place ?? defaultPlace(url),
    sameHost: input.sameHost ?? DEFAULTS.sameHost,
    ...(input.capacity === undefined ? {} : { capacity: parseSize(input.capacity) }),
    limits: resolveRates(input.limits),
    retention: resolveSchedule(input.retention ?? DEFAULTS.retention, surroundings.timezone),
    check: resolveCheck(input.check ?? DEFAULTS.check, surroundings.timezone),
  };
}

/** A directory becomes absolute: who opens it may stand elsewhere. */
function resolveUrl(
  input: PolicyInput['repositories'][string]['url'],
  surroundings: Surroundings,
): PlainOrSecret {
  const url = resolveText(input, surroundings);
  if (url.kind !== 'plain') return url;
  const [, scheme = '', path = ''] = /^(local:)?([/~].*)$/s.exec(url.text) ?? [];
  return path === '' ? url : { kind: 'plain', text: scheme + absolutePath(path, surroundings) };
}
