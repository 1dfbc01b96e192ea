import { resolve } from 'node:path';
import {
  Failure,
  loadRepositorySource,
  originalFiles,
  type RepairPlan,
  type RepairProgress,
  type Repository,
  repairRepository,
  type SourceMaker,
} from '@holdfast/engine';
import type { Work } from '../../../cli/command-frame.ts';
import type { PlanRepair, RepairRequest } from '../../../cli/repair-frame.ts';
import { planAgreed } from '../../agreed-work.ts';
import type { Machine } from '../../machine.ts';
import { type AccessMachine, openAccess } from '../../repository-access.ts';

type RepairMachine = AccessMachine & Pick<Machine, 'workingDirectory'>;

/** Plans and executes under one exclusive lock; the repositories that help are locked against removals. */
export function planRepair(machine: RepairMachine): PlanRepair {
  return async (access, request, work) => {
    const { clock } = machine;
    await using opening = new AsyncDisposableStack();
    const opened = opening.use(await openAccess(access, { intent: 'write', ...work }, machine));
    const sources = await openSources(request, opened.repository, { work, machine, opening });
    let startedAt = clock.now();
    return await planAgreed(
      {
        opening,
        progress: work.progress,
        run: (approve, progress) =>
          repairRepository(opened.repository, {
            clock,
            readAllHeaders: request.readAll,
            ...(request.scope === 'index' ? {} : { blobs: { readData: request.readData, sources } }),
            retryLockFor: access.retryLock,
            signal: opened.signal,
            approve: async (plan: RepairPlan) => {
              const agreed = await approve(plan);
              startedAt = clock.now();
              return agreed;
            },
            onProgress: progressTo(progress, clock),
          }),
      },
      ({ saved, refused }) => ({ saved, refused, milliseconds: clock.now() - startedAt }),
    );
  };
}

interface SourceOpening {
  readonly work: Work;
  readonly machine: RepairMachine;
  /** Where the sources are put, to be closed with all else. */
  readonly opening: AsyncDisposableStack;
}

async function openSources(
  { from, fromFiles }: RepairRequest,
  repository: Repository,
  { work: { signal }, machine, opening }: SourceOpening,
): Promise<SourceMaker[]> {
  const sources: SourceMaker[] = [];
  for (const access of from) {
    const opened = opening.use(await openAccess(access, { intent: 'read', signal }, machine));
    refuseItself(opened.repository, repository);
    const source = await loadRepositorySource(opened.repository, opened.signal);
    sources.push(() => source);
  }
  // Last: to know what they have, they must be read.
  if (fromFiles === true) sources.push(originalFiles());
  else if (fromFiles !== undefined) sources.push(originalFiles(resolve(machine.workingDirectory, fromFiles)));
  return sources;
}

/** It would wait for its own lock. */
function refuseItself(source: Repository, repository: Repository): void {
  if (source.backend.location !== repository.backend.location) return;
  throw new Failure('usage', '--from names the repository that is to be repaired', {
    subject: source.backend.location,
    hint: 'Name another one that has the same content: a copy.',
  });
}

const PHASES = {
  headers: 'Reading pack headers',
  packs: 'Reading packs',
  trees: 'Reading folders',
  save: 'Saving pieces',
  remove: 'Removing',
} as const satisfies Record<RepairProgress['phase'], string>;

function progressTo(progress: Work['progress'], clock: Machine['clock']): (step: RepairProgress) => void {
  let latest: RepairProgress | undefined;
  return (step) => {
    const began = step.phase !== latest?.phase;
    latest = step;
    if (!began) return;
    const startedAt = clock.now();
    progress.watch(() => {
      const { phase, done, total } = latest ?? step;
      const common = { phase: PHASES[phase], startedAt, errors: 0, items: [], bytes: 0, files: done };
      return total === undefined ? common : { ...common, totalFiles: total };
    });
  };
}
