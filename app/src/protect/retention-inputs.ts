import type { OpenFinding } from '../catalog/records.ts';
import type { KeepRules, Policy } from '../policy/model.ts';
import type { RetentionInput } from '../retention/retention-input.ts';
import type { Seen } from './see-points.ts';

export interface SeenAt extends Seen {
  /** Of all repositories. */
  readonly findings: readonly OpenFinding[];
  readonly now: number;
}

/** Pure: what retention has to decide about at a repository, for each source that the policy has there. */
export function retentionInputs(
  policy: Policy,
  repository: string,
  { points, windows, doubt, findings, now }: SeenAt,
): { readonly source: string; readonly input: RetentionInput }[] {
  return rulesAt(policy, repository).map(({ source, rules }) => {
    const { hold } = policy.sources.find(({ name }) => name === source) ?? {};
    const input: RetentionInput = {
      points: points.filter((point) => point.source === source),
      windows: windows.filter((window) => window.source === source),
      rules,
      holds: hold === undefined ? [] : [hold],
      findings: findings.filter((finding) => finding.repository === repository),
      ...(doubt === undefined ? {} : { doubt }),
      now,
      timezone: policy.timezone,
    };
    return { source, input };
  });
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
