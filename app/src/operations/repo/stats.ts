import { computeStats } from '@holdfast/engine';
import type { MeasureRepository } from '../../cli/commands/repo/stats.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';
import { chooseSnapshots } from '../snapshot-choice.ts';

export function measureRepository(machine: AccessMachine): MeasureRepository {
  return async (access, request, work) => {
    await using opened = await openAccess(access, { intent: 'read', ...work }, machine);
    const { repository, signal } = opened;
    const snapshots = await chooseSnapshots(repository, request.snapshots, request, signal);
    const stats = await computeStats(
      await repository.loadIndexToRead(signal),
      snapshots,
      request.mode,
      signal,
    );
    return { mode: request.mode, ...stats };
  };
}
