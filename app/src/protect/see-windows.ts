import type { Point, RecoveryWindow } from '../catalog/records.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import type { Duty } from './hands.ts';
import { journaledSources, windowsOf } from './windows.ts';

/** What can be restored of the sources of these points, told from the bases and journals that lie in the repository. */
export async function windowsIn(
  { hands, work }: Duty,
  repository: string,
  access: RepositoryAccess,
  points: readonly Point[],
): Promise<RecoveryWindow[]> {
  const windows: RecoveryWindow[] = [];
  for (const source of journaledSources(points)) {
    const found = await hands.operations.listBases(access, { tag: [[`source:${source}`]] }, work);
    windows.push(...windowsOf(found, repository, source));
  }
  return windows;
}
