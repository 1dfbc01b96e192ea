import { type Backend, createRepository, Failure, type Id, isFailure } from '@holdfast/engine';
import type { InitRepository } from '../../cli/commands/repo/init.ts';
import type { RepositoryAccess } from '../../cli/repository-options.ts';
import { type AccessMachine, makePlace } from '../repository-access.ts';

export function initRepository(machine: AccessMachine): InitRepository {
  return async (access, { repositoryVersion }, { signal }) => {
    const backend = await makePlaceOrSayWhy(access, signal, machine);
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

/** A place that is taken is a repository to whoever wanted to make one. */
async function makePlaceOrSayWhy(
  access: RepositoryAccess,
  signal: AbortSignal,
  machine: AccessMachine,
): Promise<Backend> {
  try {
    return await makePlace(access, signal, machine);
  } catch (error) {
    if (!isFailure(error, 'backend.exists')) throw error;
    throw new Failure('repository.exists', 'there is a repository in this place already', {
      hint: 'Use it as it is, or choose another place.',
      cause: error,
    });
  }
}
