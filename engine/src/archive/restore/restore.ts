import { mkdirSync, realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { type BytePath, toSystemPath } from '../backup/byte-path.ts';
import { type PathText, pathBytes } from '../filter/path-text.ts';
import { allocateCounters, type RestoreCounts, sumCounters } from './counters.ts';
import type { Ownership } from './metadata.ts';
import { notKeptCounter } from './not-kept-tally.ts';
import type { Overwrite } from './overwrite.ts';
import { NOT_KEPT, type NotKept, type NotKeptKind, type RestoreProblem, wordsOf } from './problem.ts';
import { RestoreRun } from './restore-run.ts';
import { compileRestoreRules, type RestoreRules } from './selection.ts';
import { type RestoreSource, sourceTree } from './source.ts';

export interface RestoreOptions {
  readonly clock: Clock;
  /** A directory, made if it is not there. The entries of the source's tree come directly into it. */
  readonly target: PathText;
  readonly rules?: RestoreRules;
  /** `always` unless said otherwise, as with restic. */
  readonly overwrite?: Overwrite;
  /** `id` unless said otherwise. */
  readonly ownership?: Ownership;
  /** Leave runs of zeros out of new files. On unless said otherwise. */
  readonly sparse?: boolean;
  /** Read every file back and compare it with the snapshot. */
  readonly verify?: boolean;
  /** Keep what could be had of damaged files, which are removed otherwise. */
  readonly salvage?: boolean;
  /** Look and count, change nothing. */
  readonly dryRun?: boolean;
  /** Worker threads; as many as the machine has cores unless said otherwise. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  readonly onProblem?: (problem: RestoreProblem) => void;
  /** Called once work begins, with something to ask about its progress. */
  readonly onStart?: (watch: RestoreWatch) => void;
}

export interface RestoreWatch {
  counts(): RestoreCounts;
}

export interface RestoreSummary {
  readonly counts: RestoreCounts;
  readonly notKept: readonly NotKept[];
  /** Whether something did not come back: restic's exit code 1, with everything else restored. */
  readonly incomplete: boolean;
  /** Milliseconds. */
  readonly took: number;
}

/**
 * Brings a snapshot back. Nothing is ever written outside the target, whatever the repository says: see `Directories`,
 * `walkTrees` and `LateEntries` for the three halves of that promise.
 *
 * What cannot be restored is a problem, told through `onProblem` and counted; everything else comes back. Throws
 * `target.write` when nothing more can be written at all, the signal's reason when it aborts. Then the same call again
 * completes what is there and writes only what differs.
 *
 * When it resolves, everything is in the hands of the operating system, as after `cp`: not necessarily on the disk,
 * since waiting for that file by file would take many times as long.
 */
export async function restoreSnapshot(
  indexed: IndexedRepository,
  source: RestoreSource,
  options: RestoreOptions,
): Promise<RestoreSummary> {
  const { clock, signal, dryRun = false } = options;
  const startedAt = clock.now();
  const selection = compileRestoreRules(options.rules);
  const tree = await sourceTree(indexed, source, signal);
  const target = openTarget(options.target, dryRun);
  const workers = dryRun ? 0 : (options.workers ?? availableParallelism());
  const counters = allocateCounters(workers);
  const reasons = new Map<NotKeptKind, string>();
  options.onStart?.({ counts: () => sumCounters(counters) });
  const run = new RestoreRun(indexed, {
    target,
    tree,
    selection,
    overwrite: options.overwrite ?? 'always',
    ownership: options.ownership ?? 'id',
    sparse: options.sparse ?? true,
    salvage: options.salvage ?? false,
    verify: options.verify ?? false,
    dryRun,
    workers,
    counters,
    signal,
    problem: (problem) => options.onProblem?.(problem),
    notKept: (kind, reason) => {
      if (!reasons.has(kind)) reasons.set(kind, reason);
    },
  });
  await run.restore();
  const counts = sumCounters(counters);
  const notKept = NOT_KEPT.map((kind) => ({
    kind,
    count: counts[notKeptCounter(kind)],
    reason: reasons.get(kind) ?? '',
  }));
  return {
    counts,
    notKept: notKept.filter(({ count }) => count > 0),
    incomplete: counts.problems > 0,
    took: clock.now() - startedAt,
  };
}

/** The target's real path as bytes, or undefined where a dry run finds none. */
function openTarget(target: PathText, dryRun: boolean): BytePath | undefined {
  const path = pathBytes(resolve(target)).toString('latin1');
  try {
    if (!dryRun) mkdirSync(toSystemPath(path), { recursive: true });
    return realpathSync(toSystemPath(path), 'buffer').toString('latin1');
  } catch (error) {
    if (dryRun) return undefined;
    throw new Failure('target.write', `The target ${target} cannot be made: ${wordsOf(error)}`, {
      subject: target,
      hint: 'Name a directory that this user may write to.',
      cause: error,
    });
  }
}
