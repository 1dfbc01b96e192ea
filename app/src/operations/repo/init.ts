import { createRepository, type Id } from '@holdfast/engine';
import type { InitRepository } from '../../cli/commands/repo/init.ts';
import { type AccessMachine, makePlace } from '../repository-access.ts';

export function initRepository(machine: AccessMachine): InitRepository {
  return async (access, { repositoryVersion }, { signal }) => {
    const backend = await makePlace(access, signal, machine);
    try {
      const { config } = await createRepository(backend, access.password.reveal(), {
        version: repositoryVersion === '1' ? 1 : 2,
        clock: machine.clock,
        signal,
      });
      return { id: config.id as Id, version: config.version, location: backend.location };
    } finally {
      await backend.close();
    }
  };
}
