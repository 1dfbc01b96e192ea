import { listLocks, removeLocks } from '@holdfast/engine';
import type { UnlockRepository } from '../../cli/commands/repo/unlock.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';

export function unlockRepository(machine: AccessMachine): UnlockRepository {
  return async (access, options, work) => {
    await using opened = await openAccess(access, { intent: 'unlocked', ...work }, machine);
    const { repository, signal } = opened;
    const all = options.removeAll ?? false;
    const removed = await removeLocks(repository, { all, clock: machine.clock, signal });
    return { removed: removed.length, remaining: (await listLocks(repository, signal)).length };
  };
}
