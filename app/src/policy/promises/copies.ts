import type { Finding } from '@holdfast/engine';
import type { Policy, RepositoryPolicy, SourcePolicy } from '../model.ts';
import { defaultPlace, UNKNOWN_PLACE } from '../place.ts';
import type { PolicyFacts } from './facts.ts';
import { repositoriesOf } from './places.ts';

/** Whether there is a copy that survives a fire, and a thief. */
export function copyFindings(policy: Policy, facts: PolicyFacts): Finding[] {
  const targets = new Set(policy.copies.map(({ to }) => to));
  return [
    ...policy.sources.flatMap((source) => placeFindings(source, repositoriesOf(policy, source.name))),
    ...policy.copies
      .filter(({ sources }) => sources.length === 0)
      .map(
        ({ name, from }): Finding => ({
          severity: 'warning',
          code: 'policy.copy-empty',
          subject: `copy ${name}`,
          message: `Nothing is copied: no source is saved to ${from}.`,
        }),
      ),
    ...policy.repositories
      .filter(({ name }) => targets.has(name))
      .flatMap((target) => removalFindings(target, facts)),
  ];
}

function placeFindings(
  { name, objective }: SourcePolicy,
  repositories: readonly RepositoryPolicy[],
): Finding[] {
  const subject = `source ${name}`;
  const known = new Set(repositories.map(({ place }) => place).filter((place) => place !== UNKNOWN_PLACE));
  const unknown = repositories
    .filter(({ place }) => place === UNKNOWN_PLACE)
    .map((repository) => repository.name);
  const findings: Finding[] = [];
  if (repositories.length < 2) {
    findings.push({
      severity: 'warning',
      code: 'policy.no-offsite-copy',
      subject,
      message: `There is no second copy of ${name}: one fire, one thief or one mistake takes all of it.`,
      hint: 'Name a second repository and write `copies: [ { from: …, to: … } ]`.',
    });
  } else if (known.size < 2 && unknown.length === 0) {
    findings.push({
      severity: 'warning',
      code: 'policy.no-offsite-copy',
      subject,
      message: `All copies of ${name} are at one place: ${[...known].join(', ')}.`,
      hint: 'Keep one elsewhere; where that is so already, say it with `place:`.',
    });
  }
  if (unknown.length > 0 && repositories.length > 1) {
    findings.push({
      severity: 'note',
      code: 'policy.place-unknown',
      subject,
      message: `Where ${unknown.join(', ')} ${unknown.length === 1 ? 'is' : 'are'} cannot be seen in a reference: not counted as another place.`,
      hint: 'Say it with `place:`.',
    });
  }
  const { copies, places } = objective;
  if (copies !== undefined && repositories.length < copies) {
    findings.push({
      severity: 'error',
      code: 'policy.too-few-copies',
      subject,
      message: `${copies} copies of ${name} are promised, and ${repositories.length} made: ${namesOf(repositories)}.`,
      hint: 'Add to `copies:`, or promise less.',
    });
  }
  if (places === undefined) return findings;
  if (known.size < places) {
    findings.push({
      severity: 'error',
      code: 'policy.too-few-places',
      subject,
      message: `${places} places are promised for ${name}, and ${known.size} known: ${[...known].join(', ') || 'none'}.`,
      hint: 'Say with `place:` where each repository stands.',
    });
  } else if (repositories.some(({ place, url }) => place === defaultPlace(url))) {
    findings.push({
      severity: 'note',
      code: 'policy.place-assumed',
      subject,
      message: 'Two hosts are taken for two places, which they are not in the same room.',
      hint: 'Say with `place:` where each repository stands.',
    });
  }
  return findings;
}

function namesOf(repositories: readonly RepositoryPolicy[]): string {
  return repositories.map(({ name }) => name).join(', ');
}

function removalFindings({ name }: RepositoryPolicy, facts: PolicyFacts): Finding[] {
  const removable = facts.repositories.get(name)?.removable;
  if (removable === false) return [];
  const subject = `repository ${name}`;
  if (removable === undefined) {
    return [
      {
        severity: 'note',
        code: 'policy.copy-removable-unknown',
        subject,
        message: `Whether a thief of our credentials could delete the copies in ${name} was not looked at.`,
        hint: '--probe tries it with a small file of its own.',
      },
    ];
  }
  return [
    {
      severity: 'warning',
      code: 'policy.copy-removable',
      subject,
      message: `Our credentials may delete what is in ${name}: whoever breaks in here can take the copies as well.`,
      hint: 'Use a place that only takes additions: holdfast serve --append-only, or object lock.',
    },
  ];
}
