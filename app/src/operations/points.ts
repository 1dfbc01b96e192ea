import { groupSnapshots, type StoredSnapshot } from '@holdfast/engine';
import type { ListPoints } from '../cli/commands/points.ts';
import { type AccessMachine, openAccess } from './repository-access.ts';
import { chooseSnapshots } from './snapshot-choice.ts';

export function listPoints(machine: AccessMachine): ListPoints {
  return async (access, request, work) => {
    await using opened = await openAccess(access, { intent: 'read', ...work }, machine);
    const chosen = await chooseSnapshots(opened.repository, request.snapshots, request, opened.signal);
    return request.latest === undefined ? chosen : newestOfEach(chosen, request.latest);
  };
}

/** `snapshots` come oldest first. */
function newestOfEach(snapshots: readonly StoredSnapshot[], count: number): StoredSnapshot[] {
  return groupSnapshots(snapshots).flatMap((group) => group.snapshots.slice(-count));
}
