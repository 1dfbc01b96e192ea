import { type Backend, createRepository, Failure, type Id, isFailure } from '@holdfast/engine';
import type { InitRepository } from '../../cli/commands/repo/init.ts';
import type { RepositoryAccess } from '../../cli/repository-options.ts';
import { type AccessMachine, makePlace, openAccess } from '../repository-access.ts';

export function initRepository(machine: AccessMachine): InitRepository {
  return async (access, { repositoryVersion, cutLike }, { signal }) => {
    const chunkerPolynomial = cutLike && (await polynomialOf(cutLike, signal, machine));
    const backend = await makePlaceOrSayWhy(access, signal, machine);
    try {
      const { config } = await createRepository(backend, access.password.reveal(), {
        version: repositoryVersion === '1' ? 1 : 2,
        ...(chunkerPolynomial === undefined ? {} : { chunkerPolynomial }),
        clock: machine.clock,
        signal,
      });
      return { id: config.id as Id, version: config.version, location: backend.location };
    } finally {
      await backend.close();
    }
  };
}

/** How a repository cuts files: it never changes, so no lock is needed to read it. */
async function polynomialOf(
  access: RepositoryAccess,
  signal: AbortSignal,
  machine: AccessMachine,
): Promise<string> {
  await using source = await openAccess(access, { intent: 'inspect', signal }, machine);
  return source.repository.config.chunkerPolynomial;
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
