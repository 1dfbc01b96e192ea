import { DEFAULTS } from '../defaults.ts';
import { parseDuration } from '../duration.ts';
import type { CopyPolicy, SourcePolicy } from '../model.ts';
import type { PolicyInput } from '../schema/policy.ts';
import { resolveKeep, resolveSchedule } from './values.ts';

type CopyInput = Exclude<PolicyInput['copies'], undefined>[number];

export function resolveCopies(
  inputs: readonly CopyInput[],
  sources: readonly SourcePolicy[],
  timezone: string,
): CopyPolicy[] {
  const held = holdings(inputs, sources);
  return inputs.map((input) => resolveCopy(input, [...(held.get(input.from) ?? [])], timezone));
}

function resolveCopy(input: CopyInput, held: readonly string[], timezone: string): CopyPolicy {
  const { from, to, after = DEFAULTS.copyAfter, keep, verify = {} } = input;
  return {
    name: input.name ?? `${from} → ${to}`,
    from,
    to,
    sources: input.sources ?? held,
    after: after === 'each snapshot' ? after : resolveSchedule(after, timezone),
    ...(keep === undefined ? {} : { keep: resolveKeep(keep) }),
    verify: {
      sample: shareOf(verify.sample ?? DEFAULTS.verify.sample),
      everything: parseDuration(verify.everything ?? DEFAULTS.verify.everything),
    },
  };
}

/** Which sources each repository holds: those saved to it, and those that a chain of copies carries there. */
function holdings(inputs: readonly CopyInput[], sources: readonly SourcePolicy[]): Map<string, Set<string>> {
  const held = new Map<string, Set<string>>();
  const hold = (repository: string, source: string): boolean => {
    const names = held.get(repository) ?? new Set();
    const fresh = !names.has(source);
    held.set(repository, names.add(source));
    return fresh;
  };
  for (const { name, repository } of sources) hold(repository, name);
  for (let changed = true; changed; ) {
    changed = false;
    for (const { from, to, sources: chosen } of inputs) {
      for (const source of held.get(from) ?? []) {
        if ((chosen === undefined || chosen.includes(source)) && hold(to, source)) changed = true;
      }
    }
  }
  return held;
}

function shareOf(share: string | number): number {
  if (typeof share === 'number') return share;
  // Rounded to what a text of six digits says, so that 1.1 % is 0.011 and not the nearest quotient.
  return Number((Number(share.replace('%', '')) / 100).toFixed(8));
}
