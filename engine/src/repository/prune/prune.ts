import type { FileType } from '../../backend/backend.ts';
import type { Clock } from '../../kernel/clock.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { Failure, isFailure } from '../../kernel/failure.ts';
import { isId } from '../../kernel/id.ts';
import { withLock } from '../locks.ts';
import type { Repository } from '../repository.ts';
import { rewriteIndex } from './index-rewrite.ts';
import { DEFAULT_PACK_BYTES, type PruneOptions, type PrunePlan, planPrune } from './prune-plan.ts';
import { repack } from './repack.ts';
import { type PruneSurvey, surveyRepository, unsafe } from './survey.ts';

export interface PruneRun extends PruneOptions {
  readonly clock: Clock;
  /** Sees the plan before anything is done; `false` and nothing is. */
  readonly approve: (plan: PrunePlan) => boolean | Promise<boolean>;
  /** How long to go on asking while somebody holds the repository, in milliseconds. */
  readonly retryLockFor?: number;
  readonly onProgress?: (progress: PruneProgress) => void;
  readonly signal?: AbortSignal;
}

/** Trees and files count; `repack` is bytes of needed blobs. */
export interface PruneProgress {
  readonly phase: 'survey' | 'repack' | 'index' | 'remove';
  readonly done: number;
  readonly total?: number;
}

/**
 * Looks, plans, asks, and does it, all under one exclusive lock: what was planned is still so when it is done. Answers
 * the plan, and whether it was executed. Throws `repository.locked` beside anybody else, `repository.damaged` when
 * something that a snapshot needs is not there: then nothing was removed.
 */
export async function pruneRepository(
  repository: Repository,
  run: PruneRun,
): Promise<{ readonly plan: PrunePlan; readonly executed: boolean }> {
  const { clock, retryLockFor: retryFor = 0, signal: outer, onProgress } = run;
  const lock = { exclusive: true, clock, retryFor, ...(outer === undefined ? {} : { signal: outer }) };
  return await withLock(repository, lock, async (signal) => {
    const survey = await surveyRepository(repository, {
      signal,
      onTree: (done) => onProgress?.({ phase: 'survey', done }),
    });
    const plan = planPrune(survey.facts, run);
    if (!(await run.approve(plan))) return { plan, executed: false };
    await executePrune(survey, plan, { ...run, signal });
    return { plan, executed: true };
  });
}

/**
 * The order is what makes it safe to be killed anywhere:
 *
 * 1. Needed blobs are written into new packs, each verified, and new index files name those. From here on they exist
 *    twice. A kill leaves packs that are superfluous, in the index or not; the next prune prefers them to the old ones.
 * 2. What stays of the old index files is saved anew. Both versions say the same about the packs that stay.
 * 3. The old index files are removed. Only now packs that go are no longer named by anything; all are still there.
 * 4. Those packs are removed, in any order. A kill leaves packs that no index names, which the next prune removes.
 *
 * So at every moment each needed blob lies in a pack that an index file names, and no index file names a pack that is
 * not there. Packs that no index named from the start wait for step 4 as well, though nobody needs them: should step 1
 * find damage, they may be all that is left of an earlier copy.
 */
async function executePrune(
  survey: PruneSurvey,
  plan: PrunePlan,
  options: PruneOptions & Pick<PruneRun, 'clock' | 'onProgress'> & { readonly signal: AbortSignal },
): Promise<void> {
  if (plan.idle) return;
  const { indexed } = survey;
  const { repository } = indexed;
  const { clock, onProgress, signal } = options;

  const toRepack = plan.packs.filter(({ action }) => action === 'repack');
  const total = toRepack.reduce((sum, { used }) => sum + used.bytes, 0);
  try {
    await repack(
      indexed,
      toRepack.map(({ id }) => ({ pack: id, blobs: survey.needed(id) })),
      {
        clock,
        signal,
        bytes: total,
        packSize: options.packSize ?? DEFAULT_PACK_BYTES,
        onProgress: (done) => onProgress?.({ phase: 'repack', done, total }),
      },
    );
  } catch (error) {
    if (!isFailure(error, 'repository.damaged') && !isFailure(error, 'repository.blob-missing')) throw error;
    throw unsafe(repository, `what snapshots need cannot be read (${error.message})`, error);
  }

  const goes = new Set(plan.packs.filter(({ action }) => action !== 'keep').map(({ id }) => id));
  const named = new Set([...goes, ...plan.gone]);
  const superfluous = await rewriteIndex(repository, indexed.index.files, (id) => named.has(id), signal);
  await assertAlone(survey, signal);
  const report = (phase: PruneProgress['phase']) => (done: number, of: number) =>
    onProgress?.({ phase, done, total: of });
  await removeAll(repository, 'index', superfluous, report('index'), signal);
  const packs = [...goes, ...plan.unreferenced.map(({ id }) => id)];
  await removeAll(repository, 'pack', packs, report('remove'), signal);
}

/**
 * Last look before anything is removed: a new snapshot means that somebody writes in spite of our lock, having taken it
 * for stale perhaps. What they rely on may be what would go. Leaving garbage behind harms nobody.
 */
async function assertAlone(
  { indexed: { repository }, snapshots }: PruneSurvey,
  signal: AbortSignal,
): Promise<void> {
  for await (const { name } of repository.backend.list('snapshot', signal)) {
    if (!isId(name) || snapshots.has(name)) continue;
    throw new Failure(
      'repository.lock-lost',
      'somebody saved a snapshot while we held the repository exclusively',
      {
        subject: `${repository.backend.location}: snapshot ${name}`,
        hint: 'nothing was removed; find out which program ignores locks, then prune again',
      },
    );
  }
}

async function removeAll(
  repository: Repository,
  type: FileType,
  names: readonly string[],
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let done = 0;
  await mapConcurrently(names, repository.backend.connections, async (name) => {
    signal.throwIfAborted();
    try {
      await repository.backend.remove({ type, name }, signal);
    } catch (error) {
      // Gone is gone: a try whose answer was lost.
      if (!isFailure(error, 'backend.not-found')) throw error;
    }
    done += 1;
    onProgress(done, names.length);
  });
}
