import type { CheckFinding } from '@holdfast/engine';
import type { OpenFinding } from '../catalog/records.ts';
import { formatBytes, formatCounted } from '../cli/format.ts';
import { accessFor, copyNamed, type Duty, repositoryNamed } from './hands.ts';
import type { TaskOutcome } from './task.ts';

/** A part of the data, so that all of it is read once in so many checks. */
export interface DataPart {
  readonly part: number;
  readonly of: number;
}

/** Checks a repository's structure and reads a part of its data back. Damage is what it finds, not a failure of it. */
export async function check(duty: Duty, name: string, { part, of }: DataPart): Promise<TaskOutcome> {
  const { order, hands, work } = duty;
  const repository = repositoryNamed(order.policy, name);
  const report = await hands.operations.checkRepository(
    await accessFor(duty, repository),
    of === 0 ? {} : { readDataSubset: { kind: 'part', part, of } },
    work,
  );
  const at = hands.machine.clock.now();
  const findings = report.findings.map((finding) => openFinding(finding, repository.name, at));
  const { checked } = report;
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return {
    incomplete: errors > 0,
    added: [],
    removed: [],
    examined: { repository: repository.name, at, findings, share: of === 0 ? 0 : 1 / of },
    result: {
      snapshots: [],
      bytes: checked.bytesRead,
      added: 0,
      findings: report.findings.slice(0, MOST_FINDINGS),
      summary:
        `${formatCounted(checked.snapshots, 'snapshot')}: structure whole, ${formatBytes(checked.bytesRead)} read back, ` +
        (errors === 0 ? 'nothing wrong' : formatCounted(errors, 'error')),
    },
  };
}

/** Reads back a part of what lies at a copy's target. */
export function verifyCopy(duty: Duty, name: string, part: DataPart): Promise<TaskOutcome> {
  return check(duty, copyNamed(duty.order.policy, name).to, part);
}

/** Which snapshots it touches is in the paths that it costs: `snapshot 1a2b3c4d:/path`. */
function openFinding({ affected, ...finding }: CheckFinding, repository: string, at: number): OpenFinding {
  const named = (affected?.paths ?? []).flatMap((path) => /^snapshot ([0-9a-f]+)/.exec(path)?.[1] ?? []);
  return { ...finding, repository, snapshots: [...new Set(named)], foundAt: at, seenAt: at };
}

const MOST_FINDINGS = 100;
