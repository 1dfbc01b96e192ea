import type { Problem } from '../alert/incident.ts';
import type { OpenFinding } from '../catalog/records.ts';
import type { SourcePolicy } from '../policy/model.ts';
import type { Facts } from './facts.ts';
import type { Evidence } from './verdict.ts';

/** What a check or a copy finds in a repository; everything else was found at a source, or when it came back. */
const OF_A_REPOSITORY = /^(pack|index|blob|tree|snapshot|copy|repository|key)\./;
/** Told with the windows, since it ends with a new base. */
export const GAP = 'journal.gap';

/** Damage that a repository is known to have. Undefined: nobody looked. */
export function damageOf(facts: Facts, repository: string): readonly OpenFinding[] | undefined {
  return facts.findings?.filter(
    (finding) =>
      finding.repository === repository && finding.severity === 'error' && OF_A_REPOSITORY.test(finding.code),
  );
}

/** What is wrong with a source itself, or with what came back of it. */
export function judgeFindings(evidence: Evidence, source: SourcePolicy, facts: Facts): void {
  if (facts.findings === undefined) {
    evidence.miss('Open findings were not read.');
    return;
  }
  for (const finding of facts.findings) {
    if (finding.source !== source.name || OF_A_REPOSITORY.test(finding.code) || finding.code === GAP)
      continue;
    const problem = problemOf(finding, source.name);
    if (problem !== undefined) evidence.add(problem);
  }
}

function problemOf(finding: OpenFinding, source: string): Problem | undefined {
  const differs = finding.code.startsWith('evidence.');
  // What is merely worth knowing about a source was told when it was found.
  if (finding.severity === 'note' || (finding.severity === 'warning' && !differs)) return undefined;
  return {
    key: `source ${source}: ${finding.code} ${finding.subject} in ${finding.repository}`,
    severity: finding.severity === 'error' ? 'critical' : 'warning',
    about: source,
    code: differs ? 'evidence.different' : finding.code,
    message: differs
      ? `What came back of ${source} is not what was saved: ${finding.message}`
      : `${source}: ${finding.message}`,
    hint: finding.hint ?? 'Look at: holdfast status --json',
    since: finding.foundAt,
  };
}
