import { Failure, type Id, listKeys, removeKey as removeRepositoryKey } from '@holdfast/engine';
import type { RemoveKey } from '../../../cli/commands/repo/key/remove.ts';
import { type AccessMachine, openAccess } from '../../repository-access.ts';

export function removeKey(machine: AccessMachine): RemoveKey {
  return async (access, beginning, outer) => {
    await using opened = await openAccess(access, { intent: 'remove', signal: outer }, machine);
    const { repository, signal } = opened;
    const keys = await listKeys(repository, signal);
    const id = oneOf(
      keys.map((key) => key.id).filter((key) => key.startsWith(beginning)),
      beginning,
    );
    await removeRepositoryKey(repository, id, signal);
    return id;
  };
}

function oneOf([only, ...others]: readonly Id[], beginning: string): Id {
  if (only !== undefined && others.length === 0) return only;
  const problem =
    only === undefined ? `no key begins with ${beginning}` : `several keys begin with ${beginning}`;
  throw new Failure('usage', problem, {
    hint: 'holdfast repo key list shows the keys; give more digits of one.',
  });
}
