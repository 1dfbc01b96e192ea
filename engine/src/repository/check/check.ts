import { availableParallelism } from 'node:os';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import { shortId } from '../../kernel/id.ts';
import { IndexedRepository } from '../indexed-repository.ts';
import { withLock } from '../locks.ts';
import { PackContents } from '../pack-contents.ts';
import type { Repository } from '../repository.ts';
import { findAffectedPaths } from './affected-paths.ts';
import { damageOf } from './damage.ts';
import { Ledger, PACK_HINT } from './ledger.ts';
import { choosePacks } from './pack-choice.ts';
import type { PackVerdict } from './pack-verification.ts';
import { checkIndex, checkPacks, type PresentPack } from './packs.ts';
import type { CheckOptions, CheckReport } from './report.ts';
import { checkConfig, checkKeys, checkLocks, checkSnapshots } from './small-files.ts';
import { checkTrees } from './trees.ts';
import { VerifyCrew } from './verify-crew.ts';

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
  if (options.lock === false) return await check(repository, options, options.signal);
  const { clock, retryLockFor: retryFor = 0, signal } = options;
  const lock = { exclusive: false, clock, retryFor, ...(signal === undefined ? {} : { signal }) };
  return await withLock(repository, lock, (held) => check(repository, options, held));
}

async function check(
  repository: Repository,
  options: CheckOptions,
  signal: AbortSignal | undefined,
): Promise<CheckReport> {
  const { onProgress = () => undefined, readData = 'none' } = options;
  const ledger = new Ledger();
  const snapshots = await checkSnapshots(repository, ledger, signal);
  onProgress({ phase: 'snapshots', done: snapshots.length, total: snapshots.length });
  await checkConfig(repository, ledger, signal);
  const keys = await checkKeys(repository, ledger, signal);
  await checkLocks(repository, ledger, signal);

  const index = await checkIndex(repository, ledger, signal);
  onProgress({ phase: 'index', done: index.files.size, total: index.files.size });
  const contents = PackContents.of(index);
  const packs = await checkPacks(repository, index, contents, ledger, signal);
  onProgress({ phase: 'packs', done: packs.length, total: packs.length });

  const indexed = new IndexedRepository(repository, index);
  const onTree = (done: number) => onProgress({ phase: 'trees', done });
  const { trees, used } = await checkTrees(indexed, snapshots, ledger, { onTree, signal });

  const chosen = choosePacks(packs, readData, options.random);
  const bytesRead = await readPacks(indexed, contents, chosen, ledger, { ...options, signal });
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
      packsRead: chosen.length,
      bytesRead,
    },
    unchecked: describeUnchecked(packs, chosen, ledger),
    unused: countUnused(indexed, used),
  };
}

/** Reads and verifies packs, a few more at a time than there are threads, and returns how many bytes that were. */
async function readPacks(
  indexed: IndexedRepository,
  contents: PackContents,
  packs: readonly PresentPack[],
  ledger: Ledger,
  options: Pick<CheckOptions, 'threads' | 'onProgress'> & { readonly signal: AbortSignal | undefined },
): Promise<number> {
  if (packs.length === 0) return 0;
  const { backend, key } = indexed.repository;
  const threads = Math.min(options.threads ?? availableParallelism(), packs.length);
  const total = packs.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  await using crew = new VerifyCrew(threads, {
    key,
    table: indexed.index.table.shared,
    contents: contents.shared,
  });
  await mapConcurrently(packs, threads * PACKS_PER_THREAD, async (pack) => {
    options.signal?.throwIfAborted();
    const { number, id } = pack;
    try {
      const bytes = await backend.load({ type: 'pack', name: id }, undefined, options.signal);
      const { length } = bytes;
      reportVerdict(ledger, pack, await crew.verify(number, id, bytes));
      done += length;
    } catch (error) {
      ledger.addForPack(id, contents.blobsOf(number), {
        severity: 'error',
        code: 'pack.unreadable',
        subject: `pack ${shortId(id)}`,
        message: `The pack ${id} cannot be read: ${damageOf(error).message}`,
        hint: PACK_HINT,
      });
    }
    options.onProgress?.({ phase: 'data', done, total });
  });
  return done;
}

function reportVerdict(ledger: Ledger, { id }: PresentPack, verdict: PackVerdict): void {
  for (const { blob, why } of verdict.damaged) ledger.damaged(id, blob, why);
  const subject = `pack ${shortId(id)}`;
  if (verdict.header !== undefined) {
    ledger.add({
      severity: 'error',
      code: 'pack.header-damaged',
      subject,
      message: `The pack ${id} does not agree with the index: ${verdict.header}.`,
      hint: `Its blobs are read by the index, so what it names can be restored. ${PACK_HINT}`,
    });
  } else if (verdict.renamed && verdict.damaged.length === 0) {
    ledger.add({
      severity: 'error',
      code: 'pack.changed',
      subject,
      message: `The content of the pack ${id} is not the one that its name stands for.`,
      hint: PACK_HINT,
    });
  }
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

/** One is verified while the next is read. */
const PACKS_PER_THREAD = 2;
