import type { StoredSnapshot } from '../../format/types.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { type Id, shortId } from '../../kernel/id.ts';
import { findAffectedPaths } from '../../repository/check/affected-paths.ts';
import { type BlobKey, blobKey } from '../../repository/check/ledger.ts';
import type { CheckFinding } from '../../repository/check/report.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import { BlobMover } from '../../repository/transfer/blob-mover.ts';
import { type WriteAccess, withWriteLock } from '../backup/write-lock.ts';
import { type CopyPlan, planCopy } from './copy-plan.ts';
import { loadTree } from './copy-survey.ts';
import { verifySample } from './copy-verification.ts';
import type { CopyOptions, CopyProgress, CopyReport } from './report.ts';
import { describeCopy, KnownCopies } from './snapshot-copy.ts';

/**
 * Copies snapshots from one repository to another, whatever their keys, formats and backends. What the target has is not
 * read; the rest is read once, verified, and sealed with the target's key.
 *
 * A snapshot is saved only after all it refers to is durable and indexed, so that whatever is killed, the target is
 * sound, and the same call goes on with what is missing. A snapshot of which the source has lost something is left out
 * with a finding, and the others are copied.
 *
 * Takes a shared lock on the target; the one on the source is the caller's. Throws `repository.locked`, and
 * `repository.lock-lost` when the target's lock is lost: nothing is written from then on.
 */
export async function copySnapshots(
  source: Repository,
  target: Repository,
  options: CopyOptions,
): Promise<CopyReport> {
  const { clock, dryRun = false, retryLockFor: retryFor = 0, signal } = options;
  return await withWriteLock(target, { clock, dryRun, retryFor, signal }, async (access) => {
    const [from] = await Promise.all([openSource(source, access.signal), access.mayWrite]);
    return await new CopyRun(from, access, options).run();
  });
}

/** With the packs that rustic has marked for deletion: they may be all that is left of a blob, and are met last. */
async function openSource(source: Repository, signal: AbortSignal): Promise<IndexedRepository> {
  return await source.loadIndexToRead(signal);
}

class CopyRun {
  readonly #source: IndexedRepository;
  readonly #target: IndexedRepository;
  readonly #signal: AbortSignal;
  readonly #saveSnapshot: WriteAccess['saveSnapshot'];
  readonly #options: CopyOptions;
  readonly #copied: { from: StoredSnapshot; to?: Id }[] = [];
  readonly #damaged: StoredSnapshot[] = [];
  readonly #findings: CheckFinding[] = [];
  /** What the target lacks and the source cannot give. */
  readonly #lost = new Set<BlobKey>();
  #totalSnapshots = 0;

  constructor(
    source: IndexedRepository,
    { indexed, signal, saveSnapshot }: WriteAccess,
    options: CopyOptions,
  ) {
    this.#saveSnapshot = saveSnapshot;
    this.#source = source;
    this.#target = indexed;
    this.#signal = signal;
    this.#options = options;
  }

  async run(): Promise<CopyReport> {
    const { snapshots, dryRun, verify = 'none' } = this.#options;
    const known = new KnownCopies(await this.#target.repository.loadSnapshots(this.#signal));
    const present: { from: StoredSnapshot; to: Id }[] = [];
    const wanted: StoredSnapshot[] = [];
    for (const from of new Map(snapshots.map((snapshot) => [snapshot.id, snapshot])).values()) {
      const there = known.find(from);
      if (there === undefined) wanted.push(from);
      else present.push({ from, to: there.id });
    }
    if (wanted.length > 0) this.#findings.push(...cutDifferently(this.#source, this.#target));
    const plan = await this.#plan(
      wanted,
      present.map(({ from }) => from),
    );
    const packsBefore = this.#target.index.packs.length;
    if (dryRun !== true) await this.#execute(plan);
    else for (const batch of plan.batches) this.#copied.push(...batch.snapshots.map((from) => ({ from })));
    const { findings, read } = await verifySample(this.#target, packsBefore, verify, {
      ...this.#options,
      signal: this.#signal,
      onProgress: (done, total) => this.#tell({ phase: 'verify', done, total }),
    });
    return {
      copied: this.#copied,
      present,
      damaged: this.#damaged,
      findings: [...this.#findings, ...findings],
      blobs: plan.blobs,
      bytes: plan.bytes,
      verified: read,
    };
  }

  /** Leaves out snapshots that cannot be copied whole: nothing is brought for them alone. */
  async #plan(snapshots: readonly StoredSnapshot[], present: readonly StoredSnapshot[]): Promise<CopyPlan> {
    const options = {
      present,
      signal: this.#signal,
      onTree: (done: number) => this.#tell({ phase: 'plan', done }),
    };
    this.#totalSnapshots = snapshots.length;
    const plan = await planCopy(this.#source, this.#target, snapshots, options);
    if (plan.lost.size === 0) return plan;
    for (const key of plan.lost) this.#lost.add(key);
    const whole = await this.#whole(snapshots);
    this.#totalSnapshots = whole.length;
    return await planCopy(this.#source, this.#target, whole, options);
  }

  async #execute(plan: CopyPlan): Promise<void> {
    if (plan.batches.length === 0) return;
    const { clock, packSize, threads } = this.#options;
    const { repository, index } = this.#target;
    let done = 0;
    const tell = () => this.#tell({ phase: 'copy', done, total: plan.bytes });
    tell();
    const mover = new BlobMover(this.#source, repository, index, {
      clock,
      packSize,
      threads,
      bytes: plan.bytes,
      signal: this.#signal,
      onLost: ({ type, id }) => this.#lost.add(blobKey(type, id)),
      onMoved: (bytes) => {
        done += bytes;
        tell();
      },
    });
    try {
      for (const batch of plan.batches) {
        await mover.move(batch.parts());
        await mover.finish();
        const whole = await this.#whole(batch.snapshots);
        const saved = await mapConcurrently(whole, repository.backend.connections, async (from) => ({
          from,
          to: (await this.#saveSnapshot(describeCopy(from))).id,
        }));
        this.#copied.push(...saved);
        tell();
      }
    } finally {
      await mover.stop();
    }
  }

  /** Those that need nothing of what is lost. For each of the others there is a finding from now on. */
  async #whole(snapshots: readonly StoredSnapshot[]): Promise<readonly StoredSnapshot[]> {
    if (this.#lost.size === 0) return snapshots;
    const concerned = new Map([...this.#lost].map((key) => [key, new Set([0])]));
    const whole: StoredSnapshot[] = [];
    for (const snapshot of snapshots) {
      const found = await findAffectedPaths([snapshot], concerned, (id) =>
        loadTree(this.#source, this.#target, id, this.#signal),
      );
      const affected = found.get(0);
      if (affected === undefined) {
        whole.push(snapshot);
      } else {
        this.#damaged.push(snapshot);
        this.#findings.push(notCopied(snapshot, affected));
      }
    }
    return whole;
  }

  #tell(progress: Pick<CopyProgress, 'phase' | 'done' | 'total'>): void {
    this.#options.onProgress?.({
      ...progress,
      snapshots: this.#copied.length,
      totalSnapshots: this.#totalSnapshots,
    });
  }
}

/** The copies themselves are whole; but a file that is backed up to both is stored twice. */
function cutDifferently(source: IndexedRepository, target: IndexedRepository): CheckFinding[] {
  const [one, other] = [source, target].map(({ repository }) => repository.config.chunkerPolynomial);
  if (one === other) return [];
  return [
    {
      severity: 'note',
      code: 'copy.chunker-differs',
      subject: 'the two repositories',
      message:
        'They cut files differently: what is copied and what is backed up to the target itself share nothing.',
      hint: 'A target made with "holdfast repo init --copy-chunker-params --from-repo SOURCE" cuts as the source does.',
    },
  ];
}

function notCopied({ id }: StoredSnapshot, affected: NonNullable<CheckFinding['affected']>): CheckFinding {
  return {
    severity: 'error',
    code: 'copy.snapshot-damaged',
    subject: `snapshot ${shortId(id)}`,
    message: 'It was not copied: the source has lost some of what it needs.',
    hint: 'holdfast repo check --read-data on the source says what is damaged, and what else depends on it.',
    affected,
  };
}
