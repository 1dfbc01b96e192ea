import type { Hands, Operations } from '../../protect/hands.ts';
import { accessOf } from '../../secrets/repository-access.ts';
import { resolveText } from '../../secrets/resolve-secret.ts';
import type { Machine } from '../machine.ts';

/** What a task is carried out with on this machine: secrets are read here, when they are needed, and nowhere kept. */
export function handsOf(machine: Machine, operations: Operations): Hands {
  const { environment } = machine;
  return {
    operations,
    machine,
    accessOf: (repository, signal) => accessOf(repository, { ...machine, signal }),
    textOf: async (value, signal) => (await resolveText(value, { environment, signal })).reveal(),
  };
}
