import { changePassword as changeRepositoryPassword } from '@holdfast/engine';
import type { ChangePassword } from '../../../cli/commands/repo/key/passwd.ts';
import { type AccessMachine, openAccess } from '../../repository-access.ts';
import { ownerOf } from './owner.ts';

export function changePassword(machine: AccessMachine): ChangePassword {
  return async (access, request, outer) => {
    await using opened = await openAccess(access, { intent: 'remove', signal: outer }, machine);
    const { repository, signal } = opened;
    const options = { clock: machine.clock, owner: ownerOf(request), signal };
    const added = await changeRepositoryPassword(repository, request.password.reveal(), options);
    return { added, removed: repository.keyId };
  };
}
