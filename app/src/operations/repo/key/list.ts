import { listKeys as listRepositoryKeys } from '@holdfast/engine';
import type { ListKeys } from '../../../cli/commands/repo/key/list.ts';
import { type AccessMachine, openAccess } from '../../repository-access.ts';

export function listKeys(machine: AccessMachine): ListKeys {
  return async (access, outer) => {
    await using opened = await openAccess(access, { intent: 'read', signal: outer }, machine);
    const keys = await listRepositoryKeys(opened.repository, opened.signal);
    return keys.map(({ id, current, username, hostname, created }) => ({
      id,
      current,
      user: username,
      host: hostname,
      created: Date.parse(created),
    }));
  };
}
