import type { Repository } from '@holdfast/engine';
import type { Point, RecoveryWindow } from '../catalog/records.ts';
import { formatCounted } from '../cli/format.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import { openAccess } from '../operations/repository-access.ts';
import type { Duty } from './hands.ts';
import { pointsOf } from './point-of.ts';
import { journaledSources, windowsOf } from './windows.ts';

/** What lies in a repository now, as retention wants it. */
export interface Seen {
  readonly points: readonly Point[];
  readonly windows: readonly RecoveryWindow[];
  /** Why not all of it could be seen. */
  readonly doubt?: string;
}

export async function seePoints(
  { hands, work }: Duty,
  name: string,
  access: RepositoryAccess,
): Promise<Seen> {
  await using opened = await openAccess(access, { intent: 'read', ...work }, hands.machine);
  const { points, unreadable } = await readPoints(name, opened.repository, opened.signal);
  const windows: RecoveryWindow[] = [];
  for (const source of journaledSources(points)) {
    const found = await hands.operations.listBases(access, { tag: [[`source:${source}`]] }, work);
    windows.push(...windowsOf(found, name, source));
  }
  return {
    points,
    windows,
    ...(unreadable === 0 ? {} : { doubt: `${formatCounted(unreadable, 'snapshot')} there cannot be read` }),
  };
}

async function readPoints(name: string, repository: Repository, signal: AbortSignal) {
  let unreadable = 0;
  const snapshots = await repository.loadSnapshots(signal, () => {
    unreadable += 1;
  });
  return { points: pointsOf(name, snapshots), unreadable };
}
