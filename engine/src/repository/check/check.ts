import type { StoredSnapshot } from '../../format/types.ts';
import { joined } from '../held-lock.ts';
import type { Index } from '../index.ts';
import { IndexedRepository } from '../indexed-repository.ts';
import { beginLock } from '../locks.ts';
import { PackContents } from '../pack-contents.ts';
import type { Repository } from '../repository.ts';
import { findAffectedPaths } from './affected-paths.ts';
import { checkData } from './data.ts';
import { Ledger } from './ledger.ts';
import { choosePacks } from './pack-choice.ts';
import { checkIndex, checkPacks, type PresentPack } from './packs.ts';
import type { CheckOptions, CheckReport } from './report.ts';
import { checkConfig, checkKeys, checkLocks, checkSnapshots } from './small-files.ts';
import { checkTrees } from './trees.ts';

/**
 * Holds a repository against itself: each file, each tree, each reference, and as much of the contents as
 * `readData` says. Damage is in the report; only what keeps the check from finishing is thrown
 * (`repository.locked`, `backend.unreachable`, …).
 *
 * A shared lock is enough, so backups go on meanwhile, since everything is looked at against the order in which it is
 * written. A writer saves packs, then the index that names them, then the snapshot that needs them. So the snapshots
 * are listed first, then the index is read, then the packs are listed: whatever one step shows, the next must have.
 */
export async function checkRepository(repository: Repository, options: CheckOptions): Promise<CheckReport> {
  const { clock, retryLockFor: retryFor = 0, lock: wanted = true } = options;
  const outer = options.signal ?? new AbortController().signal;
  if (!wanted) return await examine(repository, await begin(repository, options, outer), options, outer);
  const lock = await beginLock(repository, { exclusive: false, clock, retryFor, signal: outer });
  try {
    const signal = joined(lock.signal, outer);
    for (;;) {
      const begun = await begin(repository, options, signal);
      await lock.confirmed;
      // Somebody may have pruned just before the lock counted: then what was read so far is no longer so.
      if (await isCurrent(repository, begun.index, signal)) {
        return await examine(repository, begun, options, signal);
      }
    }
  } finally {
    await lock.release();
  }
}

interface Beginning {
  readonly ledger: Ledger;
  readonly snapshots: readonly StoredSnapshot[];
  readonly keys: number;
  readonly index: Index;
}

async function begin(
  repository: Repository,
  { onProgress = () => undefined }: CheckOptions,
  signal: AbortSignal,
): Promise<Beginning> {
  const ledger = new Ledger();
  const snapshots = await checkSnapshots(repository, ledger, signal);
  onProgress({ phase: 'snapshots', done: snapshots.length, total: snapshots.length });
  await checkConfig(repository, ledger, signal);
  const keys = await checkKeys(repository, ledger, signal);
  await checkLocks(repository, ledger, signal);
  const index = await checkIndex(repository, ledger, signal);
  onProgress({ phase: 'index', done: index.files.size, total: index.files.size });
  return { ledger, snapshots, keys, index };
}

async function isCurrent(repository: Repository, index: Index, signal: AbortSignal): Promise<boolean> {
  const there = new Set<string>();
  for await (const { name } of repository.backend.list('index', signal)) there.add(name);
  return index.files.isSubsetOf(there);
}

async function examine(
  repository: Repository,
  { ledger, snapshots, keys, index }: Beginning,
  options: CheckOptions,
  signal: AbortSignal,
): Promise<CheckReport> {
  const { onProgress = () => undefined, readData = 'none' } = options;
  const contents = PackContents.of(index);
  const packs = await checkPacks(repository, index, contents, ledger, signal);
  onProgress({ phase: 'packs', done: packs.length, total: packs.length });

  const indexed = new IndexedRepository(repository, index);
  const onTree = (done: number) => onProgress({ phase: 'trees', done });
  const chosen = choosePacks(packs, readData, options.random);
  // This thread reads the trees while the others verify the packs.
  const [{ trees, used }, read] = await together(
    signal,
    (joint) => checkTrees(indexed, snapshots, ledger, { onTree, signal: joint }),
    (joint) => checkData(indexed, contents, chosen, ledger, { ...options, signal: joint }),
  );
  ledger.close();
  const affected = await findAffectedPaths(snapshots, ledger.lost(index), (id) =>
    indexed.loadTree(id, signal),
  );

  return {
    sound: ledger.findings.every(({ severity }) => severity !== 'error'),
    findings: ledger.findings.map((finding, number) => {
      const paths = affected.get(number);
      return paths === undefined ? finding : { ...finding, affected: paths };
    }),
    checked: {
      keys,
      snapshots: snapshots.length,
      indexFiles: index.files.size,
      packs: packs.length,
      blobs: used.length,
      trees,
      packsRead: read.packs,
      bytesRead: read.bytes,
    },
    unchecked: describeUnchecked(packs, chosen, ledger),
    unused: countUnused(indexed, used),
  };
}

/** A check that did not look must never read like one that found nothing. */
function describeUnchecked(
  packs: readonly PresentPack[],
  chosen: readonly PresentPack[],
  ledger: Ledger,
): string[] {
  const sentences: string[] = [];
  const unread = packs.length - chosen.length;
  if (chosen.length === 0 && unread > 0) {
    sentences.push(
      `The contents of the files were not read: damage inside of the ${unread} packs would not have been seen (--read-data).`,
    );
  } else if (unread > 0) {
    sentences.push(
      `${unread} of ${packs.length} packs were not read: damage inside of them would not have been seen.`,
    );
  }
  if (ledger.findings.some(({ code }) => code === 'index.damaged')) {
    sentences.push('The packs that only a damaged index file names were not looked at.');
  }
  if (ledger.findings.some(({ code }) => code === 'snapshot.damaged')) {
    sentences.push('The trees of snapshots that cannot be read were not looked at.');
  }
  return sentences;
}

function countUnused({ index }: IndexedRepository, used: Uint8Array): { blobs: number; bytes: number } {
  const { table } = index;
  let blobs = 0;
  let bytes = 0;
  for (let entry = 0; entry < used.length; entry += 1) {
    if (used[entry] === 1 || table.packOf(entry) < 0) continue;
    blobs += 1;
    bytes += table.lengthOf(entry);
  }
  return { blobs, bytes };
}

/** Runs both at once. The first failure stops the other, and is thrown when both have ended. */
async function together<A, B>(
  signal: AbortSignal,
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
): Promise<[A, B]> {
  const stop = new AbortController();
  const joint = joined(stop.signal, signal);
  const stopAll = (error: unknown): never => {
    stop.abort(error);
    throw error;
  };
  const work = [first(joint).catch(stopAll), second(joint).catch(stopAll)] as const;
  await Promise.allSettled(work);
  stop.signal.throwIfAborted();
  return await Promise.all(work);
}
