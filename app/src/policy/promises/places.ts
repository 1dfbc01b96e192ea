import type { CopyPolicy, Policy, RepositoryPolicy } from '../model.ts';

/** The repositories that a source's snapshots reach, the one that it is saved to first. */
export function repositoriesOf(policy: Policy, source: string): RepositoryPolicy[] {
  const names = new Set(
    policy.sources.filter(({ name }) => name === source).map(({ repository }) => repository),
  );
  for (let size = -1; size !== names.size; ) {
    size = names.size;
    for (const { from, to } of copiesOf(policy, source)) {
      if (names.has(from)) names.add(to);
    }
  }
  return [...names].flatMap((name) => policy.repositories.filter((repository) => repository.name === name));
}

export function copiesOf({ copies }: Policy, source: string): CopyPolicy[] {
  return copies.filter(({ sources }) => sources.includes(source));
}
