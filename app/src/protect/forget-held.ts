import type { Point } from '../catalog/records.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import { forgetHeldSlices } from '../journal/forget-held.ts';
import { openAccess } from '../operations/repository-access.ts';
import type { Policy } from '../policy/model.ts';
import { walPlace } from '../sources/postgres/journal/wal-slices.ts';
import type { Duty } from './hands.ts';
import { journaledSources } from './windows.ts';

/**
 * Removes from a copy's target the slices that a roll-up there holds as well; answers which. That they are gone at the
 * origin is no reason, and not asked: the target itself has the same files twice.
 */
export async function forgetHeld(
  { order, hands, work }: Duty,
  name: string,
  access: RepositoryAccess,
  points: readonly Point[],
): Promise<string[]> {
  const { clock } = hands.machine;
  const copied = copiedJournals(order.policy, name, clock.now());
  const forgotten: string[] = [];
  for (const source of journaledSources(points).filter((one) => copied.includes(one))) {
    const { bases } = await hands.operations.listBases(access, { tag: [[`source:${source}`]] }, work);
    await using opened = await openAccess(access, { intent: 'write', ...work }, hands.machine);
    const { repository, signal } = opened;
    for (const systemId of new Set(bases.map((base) => base.systemId))) {
      const parts = { repository, place: walPlace(systemId), clock, retryLock: access.retryLock, signal };
      forgotten.push(...(await forgetHeldSlices(parts)));
    }
  }
  return forgotten;
}

/** Pure: the sources whose journals a copy brings to a repository. Under a legal hold nothing of one is touched. */
export function copiedJournals({ copies, sources }: Policy, repository: string, now: number): string[] {
  const brought = new Set(copies.filter(({ to }) => to === repository).flatMap((copy) => copy.sources));
  return sources
    .filter(({ name, repository: own }) => brought.has(name) && own !== repository)
    .filter(({ hold }) => hold === undefined || (hold.until !== undefined && hold.until <= now))
    .map(({ name }) => name);
}
