import type { Finding } from '@holdfast/engine';
import type { Policy, RepositoryPolicy, SourcePolicy } from '../model.ts';
import { type PolicyFacts, sameHost } from './facts.ts';
import { repositoriesOf } from './places.ts';

/** A backup beside what it is a backup of is lost with it. */
export function hostFindings(policy: Policy, facts: PolicyFacts): Finding[] {
  return policy.sources.flatMap((source) => [
    ...missingPaths(source, facts),
    ...nearFindings(source, repositoriesOf(policy, source.name), facts),
  ]);
}

function missingPaths({ name }: SourcePolicy, facts: PolicyFacts): Finding[] {
  return (facts.sources.get(name)?.missing ?? []).map((path) => ({
    severity: 'warning',
    code: 'policy.path-missing',
    subject: `source ${name}`,
    message: `${path} is not there, or this user may not look.`,
    hint: 'Files are read on the machine that Holdfast runs on.',
  }));
}

function nearFindings(
  source: SourcePolicy,
  repositories: readonly RepositoryPolicy[],
  facts: PolicyFacts,
): Finding[] {
  const near = repositories.map((repository) => [repository, nearness(source, repository, facts)] as const);
  const unknown = near.filter(([, how]) => how === 'unknown').map(([{ name }]) => name);
  const { name } = source;
  return [
    ...near.flatMap(([repository, how]) =>
      how === 'disk' || how === 'host' ? [nearFinding(source, repository, how)] : [],
    ),
    ...(unknown.length === 0
      ? []
      : [
          {
            severity: 'note' as const,
            code: 'policy.host-unknown',
            subject: `source ${name}`,
            message: `Whether ${name} is on another host than ${unknown.join(', ')} is not known.`,
            hint: 'What is mounted, unreadable, or referred to by a command was not followed to the machine behind it.',
          },
        ]),
  ];
}

type Nearness = 'disk' | 'host' | 'apart' | 'unknown';

function nearness(source: SourcePolicy, repository: RepositoryPolicy, facts: PolicyFacts): Nearness {
  const near = facts.sources.get(source.name);
  const far = facts.repositories.get(repository.name);
  if (far?.device !== undefined && near?.devices.includes(far.device)) return 'disk';
  const hosts = (near?.hosts ?? []).map((host) => sameHost(host, far?.host));
  if (hosts.includes(true)) return 'host';
  return hosts.length > 0 && !hosts.includes(undefined) ? 'apart' : 'unknown';
}

function nearFinding(source: SourcePolicy, repository: RepositoryPolicy, how: 'disk' | 'host'): Finding {
  const finding = {
    code: how === 'disk' ? 'policy.same-device' : 'policy.same-host',
    subject: `source ${source.name}, repository ${repository.name}`,
    message: `Repository ${repository.name} is on the same ${how} as ${source.name}: both are lost at once.`,
  };
  if (repository.sameHost === 'accepted') {
    return { ...finding, severity: 'note', hint: 'The policy accepts it: `sameHost: accepted`.' };
  }
  return {
    ...finding,
    severity: 'error',
    hint: 'Keep it elsewhere, or accept it with `sameHost: accepted` when another copy is elsewhere.',
  };
}
