import type { Finding } from '@holdfast/engine';
import type { Policy, RepositoryPolicy, SourcePolicy } from '../model.ts';
import { type PolicyFacts, sameHost } from './facts.ts';
import { repositoriesOf } from './places.ts';

/** A backup beside what it is a backup of is lost with it. */
export function hostFindings(policy: Policy, facts: PolicyFacts): Finding[] {
  return policy.sources.flatMap((source) => [
    ...missingPaths(source, facts),
    ...repositoriesOf(policy, source.name).flatMap((repository) => nearness(source, repository, facts)),
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

function nearness(source: SourcePolicy, repository: RepositoryPolicy, facts: PolicyFacts): Finding[] {
  const near = facts.sources.get(source.name);
  const far = facts.repositories.get(repository.name);
  const subject = `source ${source.name}, repository ${repository.name}`;
  const accepted = repository.sameHost === 'accepted';
  if (far?.device !== undefined && near?.devices.includes(far.device)) {
    return [
      nearFinding(accepted, {
        code: 'policy.same-device',
        subject,
        message: `Repository ${repository.name} is on the same disk as ${source.name}: both fail at once.`,
      }),
    ];
  }
  const hosts = (near?.hosts ?? []).map((host) => sameHost(host, far?.host));
  if (hosts.includes(true)) {
    return [
      nearFinding(accepted, {
        code: 'policy.same-host',
        subject,
        message: `Repository ${repository.name} is on the same host as ${source.name}: both are lost at once.`,
      }),
    ];
  }
  if (hosts.length > 0 && !hosts.includes(undefined)) return [];
  return [
    {
      severity: 'note',
      code: 'policy.host-unknown',
      subject,
      message: `Whether repository ${repository.name} and ${source.name} are on different hosts is not known.`,
      hint: 'What is referred to, or mounted, was not followed to the machine behind it.',
    },
  ];
}

function nearFinding(accepted: boolean, finding: Pick<Finding, 'code' | 'subject' | 'message'>): Finding {
  if (accepted) {
    return { ...finding, severity: 'note', hint: 'The policy accepts it: sameHost: accepted.' };
  }
  return {
    ...finding,
    severity: 'error',
    hint: 'Keep it elsewhere, or accept it with `sameHost: accepted` when another copy is elsewhere.',
  };
}
