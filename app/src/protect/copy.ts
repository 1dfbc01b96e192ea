import type { CheckFinding } from '@holdfast/engine';
import { formatBytes, formatCounted } from '../cli/format.ts';
import { accessFor, copyNamed, type Duty, repositoryNamed } from './hands.ts';
import { pointOf } from './point-of.ts';
import type { TaskOutcome } from './task.ts';

/**
 * Carries what one repository has of a policy's sources to another. Nothing is removed there because it is gone here: the
 * target has a retention of its own. A snapshot that retention at the target has removed comes again only while it is kept
 * here, so rules at a target that keep less than those of the source cost a journey each time; `policy check` says so.
 */
export async function carryCopy(duty: Duty, name: string): Promise<TaskOutcome> {
  const { order, hands, work } = duty;
  const { policy } = order;
  const copy = copyNamed(policy, name);
  const [from, to] = [repositoryNamed(policy, copy.from), repositoryNamed(policy, copy.to)];
  const report = await hands.operations.copySnapshots(
    await accessFor(duty, to),
    await accessFor(duty, from),
    {
      snapshots: [],
      tag: copy.sources.map((source) => [`source:${source}`]),
      ...(copy.verify.sample === 0 ? {} : { verifySample: { kind: 'share', share: copy.verify.sample } }),
    },
    work,
  );
  const { copied, present, damaged, findings, bytes, verified } = report;
  const added = [...copied, ...present].flatMap(({ from: snapshot, to: id }) => {
    const { original = snapshot.id } = snapshot;
    const point = id === undefined ? undefined : pointOf(to.name, { ...snapshot, id, original });
    return point ?? [];
  });
  return {
    incomplete: damaged.length > 0 || findings.some(isError),
    added,
    removed: [],
    result: {
      snapshots: copied.flatMap(({ to: id }) => id ?? []),
      bytes,
      added: bytes,
      findings: findings.slice(0, MOST_FINDINGS),
      summary:
        `${formatCounted(copied.length, 'snapshot')} copied, ${formatBytes(bytes)}; ` +
        `${present.length} were there; ${formatBytes(verified.bytes)} read back`,
    },
  };
}

function isError({ severity }: CheckFinding): boolean {
  return severity === 'error';
}

const MOST_FINDINGS = 100;
