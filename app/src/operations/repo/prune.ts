import {
  type PrunePlan,
  type PruneProgress,
  type PruneResult,
  pruneRepository,
  type Repository,
} from '@holdfast/engine';
import type { Work } from '../../cli/command-frame.ts';
import type { PlanPrune } from '../../cli/commands/repo/prune.ts';
import type { PruneOptions } from '../../cli/prune-options.ts';
import type { PruneOutcome } from '../../cli/render/prune-plan.ts';
import type { RepositoryAccess } from '../../cli/repository-options.ts';
import { planAgreed } from '../agreed-work.ts';
import type { Machine } from '../machine.ts';
import { type AccessMachine, openAccess } from '../repository-access.ts';

/** Plans and executes under one lock, which is held while somebody reads the plan. */
export function planPrune(machine: AccessMachine): PlanPrune {
  return async (access, options, work) => {
    const { clock } = machine;
    await using opening = new AsyncDisposableStack();
    const opened = opening.use(await openAccess(access, { intent: 'write', ...work }, machine));
    let startedAt = clock.now();
    return await planAgreed(
      {
        opening,
        progress: work.progress,
        run: (approve: (plan: PrunePlan) => Promise<boolean>, progress) =>
          pruneRepository(opened.repository, {
            ...engineOptions(options, access, machine),
            signal: opened.signal,
            approve: async (plan) => {
              const agreed = await approve(plan);
              startedAt = clock.now();
              return agreed;
            },
            onProgress: progressTo(progress, clock),
          }),
      },
      (result) => outcomeOf(result, options, clock.now() - startedAt),
    );
  };
}

export interface PruneAccess {
  readonly repository: Repository;
  readonly access: RepositoryAccess;
  readonly machine: AccessMachine;
  readonly signal: AbortSignal;
}

/** Without asking: for whoever agreed to that before. */
export async function pruneNow(
  { repository, access, machine, signal }: PruneAccess,
  options: PruneOptions,
  work: Work,
): Promise<PruneOutcome> {
  const startedAt = machine.clock.now();
  const result = await pruneRepository(repository, {
    ...engineOptions(options, access, machine),
    signal,
    approve: () => true,
    onProgress: progressTo(work.progress, machine.clock),
  });
  return outcomeOf(result, options, machine.clock.now() - startedAt);
}

function outcomeOf(
  { plan, postponed }: PruneResult,
  { keepDelete: grace }: PruneOptions,
  milliseconds: number,
): PruneOutcome {
  if (postponed !== undefined) {
    return { bytesFreed: 0, bytesMarked: 0, grace, postponed: postponed.message, milliseconds };
  }
  const { freed, marked } = plan.totals;
  return { bytesFreed: freed, bytesMarked: marked.bytes, grace, milliseconds };
}

function engineOptions(options: PruneOptions, access: RepositoryAccess, { clock }: AccessMachine) {
  const { maxUnused, maxRepackSize } = options;
  return {
    clock,
    retryLockFor: access.retryLock,
    grace: options.instantDelete === true ? ('none' as const) : options.keepDelete,
    maxUnused:
      maxUnused.kind === 'share'
        ? { percent: maxUnused.share * 100 }
        : maxUnused.kind === 'bytes'
          ? { bytes: maxUnused.bytes }
          : ('unlimited' as const),
    ...(maxRepackSize === undefined ? {} : { maxRepackBytes: maxRepackSize }),
    repackCacheableOnly: options.repackCacheableOnly ?? false,
    repackUncompressed: options.repackUncompressed ?? false,
  };
}

const PHASES = {
  survey: 'Looking what is needed',
  repack: 'Rewriting',
  wait: 'Waiting for a moment without other locks',
  index: 'Replacing the index',
  remove: 'Removing',
} as const satisfies Record<PruneProgress['phase'], string>;

function progressTo(progress: Work['progress'], clock: Machine['clock']): (step: PruneProgress) => void {
  let latest: PruneProgress | undefined;
  return (step) => {
    const began = step.phase !== latest?.phase;
    latest = step;
    if (!began) return;
    const startedAt = clock.now();
    progress.watch(() => sampleOf(latest ?? step, startedAt));
  };
}

function sampleOf({ phase, done, total }: PruneProgress, startedAt: number) {
  const common = { phase: PHASES[phase], startedAt, errors: 0, items: [] };
  if (phase === 'repack') {
    return { ...common, files: 0, bytes: done, ...(total === undefined ? {} : { totalBytes: total }) };
  }
  return { ...common, files: done, bytes: 0, ...(total === undefined ? {} : { totalFiles: total }) };
}
