import type { CheckFinding, StoredSnapshot } from '@holdfast/engine';
import type { RecoveryWindow } from '../catalog/records.ts';
import { formatBytes, formatCounted } from '../cli/format.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import type { CopyPolicy } from '../policy/model.ts';
import { pointsToCarry, windowsCount } from './copy-choice.ts';
import { accessFor, copyNamed, type Duty, repositoryNamed } from './hands.ts';
import { pointOf, pointsOf } from './point-of.ts';
import { windowsIn } from './see-windows.ts';
import type { TaskOutcome } from './task.ts';

/**
 * Carries what one repository has of a policy's sources to another, as far as the rules of the target keep it there. Nothing
 * is removed there because it is gone here: the target has a retention of its own.
 */
export async function carryCopy(duty: Duty, name: string): Promise<TaskOutcome> {
  const { order, hands, work } = duty;
  const { policy } = order;
  const copy = copyNamed(policy, name);
  const [from, to] = [repositoryNamed(policy, copy.from), repositoryNamed(policy, copy.to)];
  const [toAccess, fromAccess] = [await accessFor(duty, to), await accessFor(duty, from)];
  let leftOut = 0;
  const report = await hands.operations.copySnapshots(
    toAccess,
    fromAccess,
    {
      snapshots: [],
      tag: copy.sources.map((source) => [`source:${source}`]),
      choose: async (found, there) => {
        const chosen = await chooseByRules(duty, { copy, found, there, toAccess, fromAccess });
        leftOut = found.length - chosen.length;
        return chosen;
      },
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
        `${present.length} were there; ${formatBytes(verified.bytes)} read back` +
        (leftOut === 0 ? '' : `; ${leftOut} would not be kept there`),
    },
  };
}

interface Choice {
  readonly copy: CopyPolicy;
  readonly found: readonly StoredSnapshot[];
  readonly there: readonly StoredSnapshot[];
  readonly toAccess: RepositoryAccess;
  readonly fromAccess: RepositoryAccess;
}

/** What is there already is among them: the copy itself knows it best. */
async function chooseByRules(
  duty: Duty,
  { copy, found, there, ...access }: Choice,
): Promise<StoredSnapshot[]> {
  const { order, hands } = duty;
  const { policy, findings } = order;
  const here = pointsOf(copy.from, found);
  const meeting = { policy, copy, here, there: pointsOf(copy.to, there), now: hands.machine.clock.now() };
  const windows: RecoveryWindow[] = [];
  if (windowsCount(meeting)) {
    windows.push(...(await windowsIn(duty, copy.to, access.toAccess, meeting.there)));
    windows.push(...(await windowsIn(duty, copy.from, access.fromAccess, here)));
  }
  const carried = new Set(pointsToCarry({ ...meeting, windows, findings }).map(({ snapshot }) => snapshot));
  const known = new Set(meeting.there.map(({ original }) => original));
  return found.filter(({ id, original = id }) => carried.has(id) || known.has(original));
}

function isError({ severity }: CheckFinding): boolean {
  return severity === 'error';
}

const MOST_FINDINGS = 100;
