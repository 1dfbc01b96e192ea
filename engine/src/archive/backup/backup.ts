import { lstatSync, readdirSync } from 'node:fs';
import type { CompressionMode } from '../../format/compression.ts';
import type { StoredSnapshot } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Id } from '../../kernel/id.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import type { SelectionRules } from '../filter/exclude.ts';
import { type BytePath, fromText, toSystemPath, toText } from './byte-path.ts';
import type { Counts } from './counters.ts';
import type { CrewThreads } from './crew-threads.ts';
import type { GivenEntry, ScanProblem } from './protocol.ts';
import { type ScanCacheFile, scanCacheFile } from './scan-cache-file.ts';
import { describeSnapshot, type SnapshotLabels, summarize } from './snapshot-summary.ts';
import { assembleTargets, resolveTargets, snapshotPaths, type Target } from './targets.ts';
import { type WriteAccess, withWriteLock } from './write-lock.ts';
import { WritingSession } from './writing-session.ts';

export interface BackupOptions {
  readonly clock: Clock;
  /** Byte strings (one character a byte), absolute or relative to `workingDirectory`. */
  readonly paths: readonly BytePath[];
  readonly workingDirectory: string;
  readonly labels: SnapshotLabels;
  readonly selection: SelectionRules;
  /** The snapshot whose unchanged files need not be read; the newest of this host and these paths otherwise. */
  readonly parent?: StoredSnapshot;
  /** Read everything, whatever a parent says. */
  readonly force?: boolean;
  readonly withAtime?: boolean;
  readonly ignoreInode?: boolean;
  readonly ignoreCtime?: boolean;
  /** A tag that the snapshot gets besides when something could not be read and is missing from it. */
  readonly incompleteTag?: string;
  /** Write no snapshot when its tree would be the parent's. */
  readonly skipIfUnchanged?: boolean;
  /** Do everything but save: the caller hands in a repository whose backend drops what is saved. */
  readonly dryRun?: boolean;
  readonly compression?: CompressionMode;
  readonly packSize?: number;
  readonly workers?: number;
  /** Worker threads that were started ahead; ended when the backup ends. */
  readonly threads?: CrewThreads;
  /** Where the scan cache may lie; without it the parent's trees are read. */
  readonly cacheDirectory?: string;
  /** How long to wait for somebody else's exclusive lock, in milliseconds. */
  readonly retryLock?: number;
  readonly signal?: AbortSignal;
  readonly onProblem?: (problem: ScanProblem) => void;
  /** Called once work begins, with something to ask about its progress. */
  readonly onStart?: (watch: BackupWatch) => void;
}

export interface BackupWatch {
  counts(): Counts;
  currentPaths(): string[];
  /** What the parent had: an estimate of what there is to do. */
  readonly expected: { readonly files: number; readonly bytes: number } | undefined;
}

export interface BackupResult {
  /** Absent in a dry run, and when nothing changed and that was not to be saved. */
  readonly snapshot: StoredSnapshot | undefined;
  readonly parent: StoredSnapshot | undefined;
  readonly tree: Id;
  readonly counts: Counts;
  /** Whether something could not be read and is missing: restic's exit code 3. */
  readonly incomplete: boolean;
  /** Milliseconds. */
  readonly took: number;
}

/**
 * Backs files up. Order matters: lock, then index and snapshots, then work, then everything durable and indexed, then
 * the snapshot. Throws `source.missing` when none of the paths is there, `interrupted` when the signal aborts (what
 * was saved by then is indexed, so that the next run finds it).
 */
export async function backupFiles(repository: Repository, options: BackupOptions): Promise<BackupResult> {
  const { clock } = options;
  const startedAt = clock.now();
  const { entries, paths, missing } = lookAtTargets(options);
  const cacheFile =
    options.cacheDirectory === undefined
      ? undefined
      : scanCacheFile(options.cacheDirectory, repository.config.id, [...paths, ...scanFlags(options)]);

  const lock = {
    clock,
    dryRun: options.dryRun ?? false,
    retryFor: options.retryLock ?? 0,
    signal: options.signal,
  };
  return await withWriteLock(repository, lock, async ({ indexed, signal, mayWrite, saveSnapshot }) => {
    const parent = options.force
      ? undefined
      : (options.parent ?? (await findParent(repository, paths, options)));
    for (const problem of missing) options.onProblem?.(problem);
    const run = new BackupRun(indexed, { ...options, signal, mayWrite }, parent, cacheFile);
    const { tree, counts } = await run.save(entries);
    await mayWrite;
    const incomplete = counts.problems > 0 || missing.length > 0;
    const skip = options.dryRun || (options.skipIfUnchanged && parent?.tree === tree);
    const snapshot = describeSnapshot(incomplete ? markIncomplete(options) : options.labels, {
      tree,
      paths,
      parent,
      excludes: [...options.selection.patterns],
      summary: summarize(counts, startedAt, clock.now()),
    });
    const stored = skip ? undefined : await run.keepCache(saveSnapshot(snapshot));
    if (stored === undefined) run.dropCache();
    return { snapshot: stored, parent, tree, counts, incomplete, took: clock.now() - startedAt };
  });
}

function markIncomplete({ labels, incompleteTag }: BackupOptions): SnapshotLabels {
  return incompleteTag === undefined ? labels : { ...labels, tags: [...labels.tags, incompleteTag] };
}

class BackupRun {
  readonly #session: WritingSession;
  readonly #cache: ReturnType<ScanCacheFile['write']> | undefined;
  readonly #parent: StoredSnapshot | undefined;

  constructor(
    indexed: IndexedRepository,
    options: BackupOptions & Pick<WriteAccess, 'mayWrite'>,
    parent: StoredSnapshot | undefined,
    cacheFile: ScanCacheFile | undefined,
  ) {
    this.#parent = parent;
    this.#cache = options.dryRun ? undefined : cacheFile?.write();
    this.#session = new WritingSession(indexed, {
      ...options,
      scan: {
        selection: options.selection,
        withAtime: options.withAtime ?? false,
        ignoreInode: options.ignoreInode ?? false,
        ignoreCtime: options.ignoreCtime ?? false,
        trustBefore: parent === undefined ? 0n : trustBefore(parent),
        cache: parent === undefined ? undefined : cacheFile?.load(parent.id),
      },
      onRecords: (bytes) => this.#cache?.add(bytes),
    });
    options.onStart?.({
      counts: () => this.#session.counts(),
      currentPaths: () => this.#session.currentPaths(),
      expected: expectedOf(parent),
    });
  }

  async save(entries: readonly GivenEntry[]): Promise<{ tree: Id; counts: Counts }> {
    try {
      const tree = await this.#session.saveDirectory({
        path: '/',
        given: entries,
        parentTree: this.#parent?.tree,
      });
      if (tree === undefined) throw new Failure('source.unreadable', 'none of the paths could be read');
      await this.#session.finish();
      return { tree, counts: this.#session.counts() };
    } catch (error) {
      this.dropCache();
      await this.#session.abandon();
      throw error;
    }
  }

  /** The cache counts for the snapshot that it belongs to, once that is saved. */
  async keepCache(saving: Promise<StoredSnapshot>): Promise<StoredSnapshot> {
    try {
      const stored = await saving;
      this.#cache?.commit(stored.id);
      return stored;
    } catch (error) {
      this.dropCache();
      throw error;
    }
  }

  dropCache(): void {
    this.#cache?.discard();
  }
}

function lookAtTargets(options: BackupOptions): {
  entries: GivenEntry[];
  paths: string[];
  missing: ScanProblem[];
} {
  const listNames = (path: BytePath) => readdirSync(toSystemPath(path), 'latin1');
  const workingDirectory = fromText(options.workingDirectory);
  const targets = resolveTargets(options.paths, workingDirectory, listNames);
  const missing: ScanProblem[] = [];
  const present: Target[] = [];
  for (const target of targets) {
    try {
      lstatSync(toSystemPath(target.path));
      present.push(target);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      missing.push({ path: toText(target.path), kind: 'unreadable', code, message });
    }
  }
  if (present.length === 0) {
    throw new Failure('source.missing', 'none of the paths to back up is there', {
      subject: missing.map((problem) => problem.path).join(', '),
      hint: 'check the spelling; relative paths count from the directory you are in',
    });
  }
  return {
    entries: assembleTargets(present),
    paths: snapshotPaths(options.paths, workingDirectory),
    missing,
  };
}

/** The newest snapshot of this host and exactly these paths, as restic chooses it. */
async function findParent(
  repository: Repository,
  paths: readonly string[],
  options: BackupOptions,
): Promise<StoredSnapshot | undefined> {
  const wanted = JSON.stringify(paths);
  // A parent only saves work: one that cannot be read must not keep what is new from being saved. `check` tells of it.
  const snapshots = await repository.loadSnapshots(options.signal, () => undefined);
  return snapshots.findLast(
    (snapshot) =>
      snapshot.hostname === options.labels.hostname && JSON.stringify(snapshot.paths.toSorted()) === wanted,
  );
}

/** Flags that change what the scan cache's bytes mean. */
function scanFlags(options: BackupOptions): string[] {
  return [options.withAtime ? 'atime' : ''];
}

/** One tick of the coarsest clock that kernels stamp files with, in milliseconds (CONFIG_HZ=100). */
const CLOCK_TICK_MS = 10;

/** Nanoseconds since the epoch. A snapshot's time may have been given by hand; when it was begun, never. */
function trustBefore(parent: StoredSnapshot): bigint {
  return BigInt(Date.parse(parent.summary?.backupStart ?? parent.time) - CLOCK_TICK_MS) * 1_000_000n;
}

function expectedOf(parent: StoredSnapshot | undefined): BackupWatch['expected'] {
  const summary = parent?.summary;
  return summary && { files: summary.totalFilesProcessed, bytes: summary.totalBytesProcessed };
}
