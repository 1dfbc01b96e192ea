import type { Repository } from '@holdfast/engine';
import type { Point, RecoveryWindow } from '../catalog/records.ts';
import { formatCounted } from '../cli/format.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import { openAccess } from '../operations/repository-access.ts';
import type { Duty } from './hands.ts';
import { pointsOf } from './point-of.ts';
import { windowsIn } from './see-windows.ts';

/** What lies in a repository now, as retention wants it. */
export interface Seen {
  readonly points: readonly Point[];
  readonly windows: readonly RecoveryWindow[];
  /** Why not all of it could be seen. */
  readonly doubt?: string;
}

/** One snapshot that cannot be read, and it is not known what else it was. */
export async function seePoints(duty: Duty, name: string, access: RepositoryAccess): Promise<Seen> {
  const { hands, work } = duty;
  await using opened = await openAccess(access, { intent: 'read', ...work }, hands.machine);
  const { points, unreadable } = await readPoints(name, opened.repository, opened.signal);
  if (unreadable > 0) {
    return { points, windows: [], doubt: `${formatCounted(unreadable, 'snapshot')} there cannot be read` };
  }
  return { points, windows: await windowsIn(duty, name, access, points) };
}

async function readPoints(name: string, repository: Repository, signal: AbortSignal) {
  let unreadable = 0;
  const snapshots = await repository.loadSnapshots(signal, () => {
    unreadable += 1;
  });
  return { points: pointsOf(name, snapshots), unreadable };
}
