import { addKey as addRepositoryKey } from '@holdfast/engine';
import type { AddKey } from '../../../cli/commands/repo/key/add.ts';
import { type AccessMachine, openAccess } from '../../repository-access.ts';
import { ownerOf } from './owner.ts';

export function addKey(machine: AccessMachine): AddKey {
  return async (access, request, outer) => {
    await using opened = await openAccess(access, { intent: 'append', signal: outer }, machine);
    const { repository, signal } = opened;
    const { clock } = machine;
    return await addRepositoryKey(repository, request.password.reveal(), {
      clock,
      owner: ownerOf(request),
      signal,
    });
  };
}
