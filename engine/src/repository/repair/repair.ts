import type { Clock } from '../../kernel/clock.ts';
import type { Id } from '../../kernel/id.ts';
import { withLock } from '../locks.ts';
import { removeFiles } from '../removal.ts';
import type { Repository } from '../repository.ts';
import { type BlobRepairPlan, type BlobSurvey, type SourceMaker, surveyBlobs } from './blob-survey.ts';
import { replaceIndexFiles } from './index-replacement.ts';
import { type IndexRepairPlan, type IndexSurvey, surveyIndex } from './index-survey.ts';
import { saveRepairedBlobs } from './repaired-blobs.ts';

export interface RepairRun {
  readonly clock: Clock;
  /** Look at the blobs too, not only at the index. */
  readonly blobs?: {
    /** Who may have what is lost, in the order in which they are asked. */
    readonly sources: readonly SourceMaker[];
    /** Read every pack; otherwise only those that look wrong from outside. */
    readonly readData: boolean;
  };
  /** Read the header of every pack. */
  readonly readAllHeaders?: boolean;
  /** Verifying threads; one for each core otherwise. */
  readonly threads?: number;
  /** Sees the plan before anything is done; `false` and nothing is. */
  readonly approve: (plan: RepairPlan) => boolean | Promise<boolean>;
  /** How long to go on asking while somebody holds the repository, in milliseconds. */
  readonly retryLockFor?: number;
  readonly onProgress?: (progress: RepairProgress) => void;
  readonly signal?: AbortSignal;
}

export interface RepairPlan {
  /** Nothing is to be done; something may be lost all the same. */
  readonly idle: boolean;
  readonly index: IndexRepairPlan;
  readonly blobs?: BlobRepairPlan;
}

/** Packs, trees, blobs and files count. */
export interface RepairProgress {
  readonly phase: 'headers' | 'packs' | 'trees' | 'save' | 'remove';
  readonly done: number;
  readonly total?: number;
}

export interface RepairOutcome {
  readonly plan: RepairPlan;
  readonly executed: boolean;
  /** Blobs that were saved anew: what damaged packs had left, and what others had. */
  readonly saved: number;
  /** Blobs that a source was thought to have and did not give whole. */
  readonly refused: number;
}

/**
 * Looks, plans, asks, and does it, all under one exclusive lock. What is lost and nobody has is in the plan, and is no
 * failure. Throws `repository.locked` beside anybody else.
 */
export async function repairRepository(repository: Repository, run: RepairRun): Promise<RepairOutcome> {
  const { clock, retryLockFor: retryFor = 0, signal: outer, onProgress } = run;
  const lock = { exclusive: true, clock, retryFor, ...(outer === undefined ? {} : { signal: outer }) };
  return await withLock(repository, lock, async (signal) => {
    const survey = await surveyIndex(repository, {
      readAll: run.readAllHeaders ?? false,
      signal,
      onPack: (done, total) => onProgress?.({ phase: 'headers', done, total }),
    });
    const blobs =
      run.blobs &&
      (await surveyBlobs(survey, {
        ...run.blobs,
        threads: run.threads,
        signal,
        onProgress: (phase, done, total) =>
          onProgress?.({ phase, done, ...(total === undefined ? {} : { total }) }),
      }));
    const idle = survey.plan.idle && (blobs?.damagedPacks.length ?? 0) + (blobs?.found.length ?? 0) === 0;
    const plan = { idle, index: survey.plan, ...(blobs === undefined ? {} : { blobs: blobs.plan }) };
    if (!(await run.approve(plan)) || idle) return { plan, executed: false, saved: 0, refused: 0 };
    const saved = await execute(survey, blobs, { clock, signal, onProgress });
    return { plan, executed: true, ...saved };
  });
}

interface Execution {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: RepairRun['onProgress'];
}

/**
 * The order is what makes it safe to be killed anywhere, and the same repair can always be begun again:
 *
 * 1. What damaged packs have left, and what others gave, is written into new packs, and new index files name those.
 * 2. New index files say what the old ones should have said. Old and new agree about all that is sound.
 * 3. Old index files that say something wrong are removed. From here on nothing is named that is not there.
 * 4. Damaged packs, which nothing names any more, are removed. Those that could not be read at all stay: what is in them
 *    may be had tomorrow, or on another machine, and a repair of the index names them again then.
 *
 * So whatever could be read before can be read at every moment, and nothing is removed that is not saved elsewhere or
 * was found to be no blob at all.
 */
async function execute(
  survey: IndexSurvey,
  blobs: BlobSurvey | undefined,
  { clock, signal, onProgress }: Execution,
): Promise<{ saved: number; refused: number }> {
  const { repository } = survey.indexed;
  const result =
    blobs === undefined
      ? { saved: 0, refused: 0 }
      : await saveRepairedBlobs(survey.indexed, blobs, {
          clock,
          signal,
          onBlob: (done, total) => onProgress?.({ phase: 'save', done, total }),
        });

  const goes = new Set<Id>(blobs?.damagedPacks.map(({ id }) => id));
  const { added, corrected, unreadable } = survey.plan;
  const superfluous = await replaceIndexFiles(
    repository,
    survey.files,
    {
      packs: new Map([...survey.packs].filter(([id]) => !goes.has(id))),
      marked: survey.marked,
      changed: new Set([...added, ...corrected].map(({ id }) => id)),
    },
    signal,
  );
  const removable = blobs?.damagedPacks.filter((pack) => !pack.unreadable).map(({ id }) => id) ?? [];
  const total = superfluous.length + unreadable.length + removable.length;
  let done = 0;
  const removal = {
    signal,
    onRemoved: () => {
      done += 1;
      onProgress?.({ phase: 'remove', done, total });
    },
  };
  await removeFiles(repository.backend, 'index', [...superfluous, ...unreadable], removal);
  await removeFiles(repository.backend, 'pack', removable, removal);
  return result;
}
