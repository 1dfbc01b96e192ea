import type { Snapshot, StoredSnapshot } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Finding } from '../../kernel/finding.ts';
import type { Id } from '../../kernel/id.ts';
import { withLock } from '../locks.ts';
import { removeFiles } from '../removal.ts';
import type { Repository } from '../repository.ts';
import { surveyBlobs } from './blob-survey.ts';
import { surveyIndex } from './index-survey.ts';
import { treeLoader } from './need-survey.ts';
import { BlobWriter } from './repaired-blobs.ts';
import { type LostEntry, TreeSalvage } from './tree-salvage.ts';

export interface SnapshotRepairRun {
  readonly clock: Clock;
  /** Only these of the snapshots; all otherwise. */
  readonly choose?: (snapshots: readonly StoredSnapshot[]) => readonly StoredSnapshot[];
  /** Remove the damaged snapshots once their salvaged successors are saved. */
  readonly forget: boolean;
  /** Read every pack; otherwise only those that look wrong from outside. */
  readonly readData: boolean;
  readonly threads?: number;
  /** Sees the plan before anything is done; `false` and nothing is. */
  readonly approve: (plan: SnapshotRepairPlan) => boolean | Promise<boolean>;
  /** How long to go on asking while somebody holds the repository, in milliseconds. */
  readonly retryLockFor?: number;
  readonly onProgress?: (phase: 'headers' | 'packs' | 'trees', done: number, total?: number) => void;
  readonly signal?: AbortSignal;
}

export interface SnapshotRepairPlan {
  /** Nothing is to be done. */
  readonly idle: boolean;
  /** Snapshots that lost something and are made anew without it. */
  readonly salvaged: readonly SalvagedSnapshot[];
  /** Snapshots of which nothing can be salvaged, since not even their root can be read. They stay. */
  readonly hopeless: readonly StoredSnapshot[];
  /** Snapshots that lost nothing. */
  readonly whole: number;
  /** Snapshots that cannot be read. */
  readonly findings: readonly Finding[];
  readonly forget: boolean;
}

export interface SalvagedSnapshot {
  readonly snapshot: StoredSnapshot;
  readonly lost: readonly LostEntry[];
  /** What an earlier repair made of it already: then it only goes. */
  readonly successor?: Id;
}

export interface SnapshotRepairOutcome {
  readonly plan: SnapshotRepairPlan;
  readonly executed: boolean;
  /** Each damaged snapshot with the one that was made of it. */
  readonly repaired: readonly { readonly from: Id; readonly to: Id }[];
}

/** What tells salvaged snapshots apart from whole ones. */
const REPAIRED_TAG = 'repaired';

/**
 * Makes of each snapshot that lost something a new one without it: with the tag `repaired` and, as `original`, the id of
 * the damaged one, which stays unless `forget` is said. Throws `repository.damaged` while the index is wrong, since what
 * only seems to be lost must not be left out.
 */
export async function repairSnapshots(
  repository: Repository,
  run: SnapshotRepairRun,
): Promise<SnapshotRepairOutcome> {
  const { clock, retryLockFor: retryFor = 0, signal: outer, forget } = run;
  const lock = { exclusive: true, clock, retryFor, ...(outer === undefined ? {} : { signal: outer }) };
  return await withLock(repository, lock, async (signal) => {
    const { plan, trees } = await survey(repository, run, signal);
    if (!(await run.approve(plan)) || plan.idle) return { plan, executed: false, repaired: [] };
    // The trees first, durable and named, then the snapshots that need them, and only then may the damaged ones go.
    await using writer = new BlobWriter(repository, clock, signal);
    for (const content of trees.written.values()) await writer.save('tree', content);
    await writer.finish();
    const repaired: { from: Id; to: Id }[] = [];
    for (const { snapshot, successor } of plan.salvaged) {
      const salvaged = await trees.salvage(snapshot);
      if (salvaged === undefined) continue;
      const to = successor ?? (await repository.saveSnapshot(successorOf(snapshot, salvaged.tree), signal));
      repaired.push({ from: snapshot.id, to });
    }
    const replaced = forget ? repaired.map(({ from }) => from) : [];
    await removeFiles(repository.backend, 'snapshot', replaced, { signal });
    return { plan, executed: true, repaired };
  });
}

async function survey(
  repository: Repository,
  run: SnapshotRepairRun,
  signal: AbortSignal,
): Promise<{ plan: SnapshotRepairPlan; trees: TreeSalvage }> {
  const index = await surveyIndex(repository, {
    signal,
    onPack: (done, total) => run.onProgress?.('headers', done, total),
  });
  const { unreadable, added } = index.plan;
  if (unreadable.length + added.length > 0) throw repairFirst(repository, 'holdfast repo repair index');
  const blobs = await surveyBlobs(index, {
    sources: [],
    readData: run.readData,
    threads: run.threads,
    // A snapshot is not given up because a disk stuttered.
    strict: run.forget,
    signal,
    onProgress: run.onProgress,
  });
  if (blobs.found.length > 0) throw repairFirst(repository, 'holdfast repo repair');
  const { wholeness } = blobs;
  const trees = new TreeSalvage({
    loadTree: treeLoader(index.indexed, wholeness, { sources: [], strict: run.forget, signal }),
    isWhole: (type, id) => wholeness.isWhole(type, id),
  });
  const salvaged: SalvagedSnapshot[] = [];
  const hopeless: StoredSnapshot[] = [];
  const chosen = run.choose?.(blobs.snapshots) ?? blobs.snapshots;
  const made = new Map(blobs.snapshots.map(({ id, original, tree }) => [`${original}/${tree}`, id]));
  let whole = 0;
  for (const snapshot of chosen) {
    const tree = await trees.salvage(snapshot);
    if (tree === undefined) hopeless.push(snapshot);
    else if (tree.lost.length === 0) whole += 1;
    else {
      const successor = made.get(`${originOf(snapshot)}/${tree.tree}`);
      if (successor === undefined) salvaged.push({ snapshot, lost: tree.lost });
      else if (run.forget) salvaged.push({ snapshot, lost: tree.lost, successor });
    }
  }
  const { findings } = blobs.plan;
  return {
    trees,
    plan: { idle: salvaged.length === 0, salvaged, hopeless, whole, findings, forget: run.forget },
  };
}

function successorOf(snapshot: StoredSnapshot, tree: Id): Snapshot {
  const { id: _, parent: __, summary: ___, ...kept } = snapshot;
  return { ...kept, tree, tags: [...new Set([...kept.tags, REPAIRED_TAG])], original: originOf(snapshot) };
}

/** As restic does it: the first of a line of rewritten snapshots. */
function originOf({ original, id }: StoredSnapshot): Id {
  return original ?? id;
}

function repairFirst(repository: Repository, command: string): Failure {
  return new Failure('repository.damaged', 'something that seems to be lost is still there', {
    subject: repository.backend.location,
    hint: `Run ${command} first: points are salvaged only without what cannot be brought back.`,
  });
}
