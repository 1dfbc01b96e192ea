import { Failure } from '@holdfast/engine';
import { readRuns } from '../../catalog/runs.ts';
import type { ListRuns } from '../../cli/commands/runs.ts';
import { type MemoryMachine, openMemory } from './memory.ts';

export function listRuns(machine: MemoryMachine): ListRuns {
  return async ({ id, about, last, ...options }, signal) => {
    await using state = await openMemory(options, machine, signal);
    if (id === undefined)
      return await readRuns(state.database, { most: last, ...(about === undefined ? {} : { about }) });
    const found = (await readRuns(state.database, { most: MOST })).filter((run) => run.id.startsWith(id));
    if (found.length === 1) return found;
    const message = found.length === 0 ? `there is no run ${id}` : `${found.length} runs begin with ${id}`;
    throw new Failure('run.not-found', message, { hint: 'holdfast runs lists them.' });
  };
}

/** As far back as ids are looked for. */
const MOST = 10_000;
