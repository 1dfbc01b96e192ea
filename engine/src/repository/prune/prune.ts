import type { FileType } from '../../backend/backend.ts';
import type { Clock } from '../../kernel/clock.ts';
import { type Failure, isFailure } from '../../kernel/failure.ts';
import type { HeldLock } from '../held-lock.ts';
import type { LockOptions } from '../lock-wait.ts';
import { takeLock, withLock } from '../locks.ts';
import { removeFiles } from '../removal.ts';
import type { Repository } from '../repository.ts';
import { filesToMerge, type IndexChange, outdatedFiles, rewriteIndex } from './index-rewrite.ts';
import { Latecomers } from './latecomers.ts';
import {
  type PlannedPack,
  type PruneOptions,
  type PrunePlan,
  planPrune,
  withoutRemoving,
} from './prune-plan.ts';
import { repack } from './repack.ts';
import { type PruneSurvey, surveyRepository, unsafe } from './survey.ts';

export interface PruneRun extends PruneOptions {
  readonly clock: Clock;
  /**
   * How long packs stay marked before they are removed, in milliseconds; 23 hours, so that a prune a day removes what
   * yesterday's has marked. `none`: everything at once, and nobody may work beside it.
   */
  readonly grace?: number | 'none';
  /** Sees the plan before anything is done; `false` and nothing is. */
  readonly approve: (plan: PrunePlan) => boolean | Promise<boolean>;
  /** How long to go on asking while somebody holds the repository, in milliseconds. */
  readonly retryLockFor?: number;
  /** How long to wait for a moment without other locks, in milliseconds; a minute, or `retryLockFor` when it is more. */
  readonly waitAlone?: number;
  readonly onProgress?: (progress: PruneProgress) => void;
  readonly signal?: AbortSignal;
}

/** Trees and files count; `repack` is bytes of needed blobs. */
export interface PruneProgress {
  readonly phase: 'survey' | 'repack' | 'wait' | 'index' | 'remove';
  readonly done: number;
  readonly total?: number;
}

export interface PruneResult {
  /** As it was executed: less may go than was approved, never more. */
  readonly plan: PrunePlan;
  /** Whether it was approved. */
  readonly executed: boolean;
  /** Why nothing was marked or removed, though it was approved: somebody worked here all the time. */
  readonly postponed?: Failure;
}

/**
 * Looks, plans, asks, and does it (ADR 010). Looking and writing anew go on under an ordinary lock, beside writers and
 * readers; then, for a moment, an exclusive one: what came since is looked at, and the index says which packs are marked
 * and no longer names those whose grace is over. Their files go last, beside whoever is there.
 *
 * Never fails others: when there is no moment without them, it is `postponed`. Throws `repository.locked` beside
 * somebody who removes, `repository.damaged` when something that a snapshot needs is not there: then nothing was removed.
 */
export async function pruneRepository(repository: Repository, run: PruneRun): Promise<PruneResult> {
  const { clock, grace = DEFAULT_GRACE_MS, retryLockFor: retryFor = 0, signal: outer, onProgress } = run;
  const lock = {
    exclusive: grace === 'none',
    clock,
    retryFor,
    ...(outer === undefined ? {} : { signal: outer }),
  };
  return await withLock(repository, lock, async (signal, held) => {
    const survey = await surveyRepository(repository, {
      signal,
      withoutRecords: grace === 'none',
      onTree: (done) => onProgress?.({ phase: 'survey', done }),
    });
    const plan = planPrune(
      survey.facts,
      { packSize: repository.packSize, ...run },
      grace === 'none' ? undefined : { now: clock.now(), keep: grace },
    );
    if (!(await run.approve(plan))) return { plan, executed: false };
    return { executed: true, ...(await new Execution(survey, plan, { ...run, signal, held }).run()) };
  });
}

type ExecutionOptions = PruneOptions &
  Pick<PruneRun, 'clock' | 'onProgress' | 'retryLockFor' | 'waitAlone'> & {
    readonly signal: AbortSignal;
    readonly held: HeldLock;
  };

/**
 * The order is what makes it safe to be killed anywhere:
 *
 * 1. Needed blobs are written into new packs, each verified, and new index files name those. From here on they exist
 *    twice. A kill leaves packs that are superfluous, in the index or not; the next prune prefers them to the old ones.
 * 2. Alone: what others have added is looked at, and what they need stays. What outdated index files should say is saved
 *    anew. Both versions say the same about the packs that stay; one that only the new version marks is still in use.
 * 3. Alone: records by which nothing could come back any more are removed, then the outdated index files. Only now the marks count, and packs that go are no longer named by
 *    anything; all are still there.
 * 4. Those packs are removed, in any order, and no longer alone: who looks from now on does not hear of them. A kill
 *    leaves packs that no index names, which the next prune marks.
 *
 * So at every moment each needed blob lies in a pack that an index file names in use, and no index file names a pack in
 * use that is not there. Packs that no index named from the start wait for step 4 as well, though nobody needs them:
 * should step 1 find damage, they may be all that is left of an earlier copy.
 */
class Execution {
  readonly #survey: PruneSurvey;
  readonly #repository: Repository;
  readonly #latecomers: Latecomers;
  readonly #options: ExecutionOptions;
  #plan: PrunePlan;

  constructor(survey: PruneSurvey, plan: PrunePlan, options: ExecutionOptions) {
    this.#survey = survey;
    this.#repository = survey.indexed.repository;
    this.#latecomers = new Latecomers(survey);
    this.#options = options;
    this.#plan = plan;
  }

  async run(): Promise<Omit<PruneResult, 'executed'>> {
    if (this.#plan.idle) return { plan: this.#plan };
    const { signal } = this.#options;
    await this.#repack();
    // Most of what others did meanwhile is read before anybody has to wait for it.
    await this.#catchUp(signal);
    if (this.#plan.idle) return { plan: this.#plan };
    const alone = await this.#lockAlone();
    if ('postponed' in alone) return { plan: this.#plan, ...alone };
    try {
      await this.#replaceIndex(AbortSignal.any([signal, alone.lock.signal]));
    } finally {
      if (alone.lock !== this.#options.held) await alone.lock.release();
    }
    await this.#remove('pack', packsToRemove(this.#plan), 'remove');
    return { plan: this.#plan };
  }

  async #repack(): Promise<void> {
    const { clock, onProgress, packSize = this.#repository.packSize, signal } = this.#options;
    const toRepack = this.#plan.packs.filter(({ action }) => action === 'repack');
    const total = toRepack.reduce((sum, { used }) => sum + used.bytes, 0);
    const packs = toRepack.map(({ id }) => ({ pack: id, blobs: this.#survey.needed(id) }));
    try {
      await repack(this.#survey.indexed, packs, {
        clock,
        signal,
        bytes: total,
        packSize,
        onProgress: (done) => onProgress?.({ phase: 'repack', done, total }),
      });
    } catch (error) {
      if (!isFailure(error, 'repository.damaged') && !isFailure(error, 'repository.blob-missing'))
        throw error;
      throw unsafe(this.#repository, `what snapshots need cannot be read (${error.message})`, error);
    }
  }

  /** The lock under which nobody else has one: the one that is held from the start, or one more for a moment. */
  async #lockAlone(): Promise<{ readonly lock: HeldLock } | { readonly postponed: Failure }> {
    const { clock, held, onProgress, retryLockFor = 0, waitAlone = ALONE_WITHIN_MS, signal } = this.#options;
    if (this.#plan.grace === undefined) return { lock: held };
    onProgress?.({ phase: 'wait', done: 0 });
    const retryFor = Math.max(retryLockFor, waitAlone);
    const options: LockOptions = { exclusive: true, beside: held, clock, retryFor, signal };
    try {
      return { lock: await takeLock(this.#repository, options) };
    } catch (error) {
      if (isFailure(error, 'repository.locked')) return { postponed: error };
      throw error;
    }
  }

  async #replaceIndex(signal: AbortSignal): Promise<void> {
    await this.#catchUp(signal);
    const change = changeOf(this.#plan, this.#options.clock.now());
    const { contents } = this.#latecomers;
    const outdated = [...new Set([...outdatedFiles(contents, change), ...filesToMerge(contents)])];
    await rewriteIndex(this.#repository, outdated, change, signal);
    await this.#latecomers.assertNone(signal);
    await this.#remove('snapshot', this.#plan.expired, 'index', signal);
    await this.#remove('index', outdated, 'index', signal);
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    // Alone from the start, there must be no others; and what goes is gone at once.
    if (this.#plan.grace === undefined) return await this.#latecomers.assertNone(signal);
    await this.#latecomers.catchUp(signal);
    this.#plan = withoutRemoving(this.#plan, this.#latecomers.needed);
  }

  async #remove(
    type: FileType,
    names: readonly string[],
    phase: PruneProgress['phase'],
    signal = this.#options.signal,
  ): Promise<void> {
    let done = 0;
    await removeFiles(this.#repository.backend, type, names, {
      signal,
      onRemoved: () => {
        done += 1;
        this.#options.onProgress?.({ phase, done, total: names.length });
      },
    });
  }
}

/** Pure. `now` in milliseconds since the epoch: marks count from when they are made, not from when they were planned. */
function changeOf({ packs, unreferenced, gone, grace }: PrunePlan, now: number): IndexChange {
  const having = (belongs: (pack: PlannedPack) => boolean) => packs.filter(belongs).map(({ id }) => id);
  const going = having(({ action }) => action === 'mark' || action === 'repack');
  return {
    dropped: new Set([
      ...having(({ action }) => action === 'remove'),
      ...gone,
      ...(grace === undefined ? going : []),
    ]),
    marked: new Set(grace === undefined ? [] : going),
    markTime: new Date(now).toISOString(),
    unmarked: new Set(having(({ action, markedAt }) => action === 'keep' && markedAt !== undefined)),
    strays: grace === undefined ? [] : unreferenced,
  };
}

function packsToRemove({ packs, unreferenced, grace }: PrunePlan): string[] {
  const now = packs.filter(
    ({ action }) => action === 'remove' || (grace === undefined && action === 'repack'),
  );
  return [...now, ...(grace === undefined ? unreferenced : [])].map(({ id }) => id);
}

const DEFAULT_GRACE_MS = 23 * 3_600_000;
const ALONE_WITHIN_MS = 60_000;
