import { type CheckProgress, checkRepository as checkEverything } from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { CheckRepository } from '../../cli/commands/repo/check.ts';
import { readDataOf } from '../data-subset.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';

export function checkRepository(machine: AccessMachine): CheckRepository {
  return async (access, options, work) => {
    const { clock, random } = machine;
    const startedAt = clock.now();
    // The check takes its own lock, since it knows in which order to look.
    await using opened = await openAccess(access, { intent: 'inspect', ...work }, machine);
    const report = await checkEverything(opened.repository, {
      clock,
      random,
      readData: options.readData === true ? 'all' : readDataOf(options.readDataSubset),
      lock: access.lock,
      retryLockFor: access.retryLock,
      signal: opened.signal,
      onProgress: progressTo(work, clock),
    });
    return { ...report, milliseconds: clock.now() - startedAt };
  };
}

const PHASES = {
  snapshots: 'Reading snapshots',
  index: 'Reading the index',
  packs: 'Listing packs',
  trees: 'Reading folders',
  data: 'Reading data',
} as const satisfies Record<CheckProgress['phase'], string>;

function progressTo({ progress }: Work, clock: Machine['clock']): (step: CheckProgress) => void {
  let latest: CheckProgress | undefined;
  let since = clock.now();
  return (step) => {
    const began = step.phase !== latest?.phase;
    latest = step;
    if (!began) return;
    since = clock.now();
    progress.watch(() => sampleOf(latest ?? step, since));
  };
}

function sampleOf({ phase, done, total }: CheckProgress, startedAt: number) {
  const common = { phase: PHASES[phase], startedAt, errors: 0, items: [] };
  if (phase === 'data') {
    return { ...common, files: 0, bytes: done, ...(total === undefined ? {} : { totalBytes: total }) };
  }
  return { ...common, files: done, bytes: 0, ...(total === undefined ? {} : { totalFiles: total }) };
}
