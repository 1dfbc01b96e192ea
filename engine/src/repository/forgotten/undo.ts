import type { StoredSnapshot } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import { isFailure } from '../../kernel/failure.ts';
import { sha256Id } from '../../kernel/hash.ts';
import type { Id } from '../../kernel/id.ts';
import { withLock } from '../locks.ts';
import type { Repository } from '../repository.ts';
import { unmarkNeeded } from '../unmark.ts';
import { isRecord, readRecord, type SealedSnapshot } from './record.ts';

/** A snapshot that was forgotten and may still come back. */
export interface ForgottenSnapshot {
  readonly snapshot: StoredSnapshot;
  /** The record that keeps it: those of one forgetting have the same. */
  readonly record: Id;
  /** Milliseconds since the epoch. */
  readonly forgottenAt: number;
}

export interface UndoRun {
  readonly clock: Clock;
  /** How long to go on asking while somebody holds the repository, in milliseconds. */
  readonly retryLockFor?: number;
  readonly signal?: AbortSignal;
}

/** What can come back, the last forgetting first; what is there again is not told of. */
export async function listForgotten(
  repository: Repository,
  signal?: AbortSignal,
): Promise<ForgottenSnapshot[]> {
  return (await readRecords(repository, signal)).map(({ sealed: _, ...forgotten }) => forgotten);
}

/**
 * Brings forgotten snapshots back, under their own ids. Under an ordinary lock, so that nobody marks or removes meanwhile:
 * first what they need is taken back from the packs that are marked, then they are saved. Answers those that came back:
 * one that is there is none of them. Throws `repository.blob-missing` when their data were freed, before any is saved.
 */
export async function bringBack(
  repository: Repository,
  ids: readonly Id[],
  run: UndoRun,
): Promise<StoredSnapshot[]> {
  const { clock, retryLockFor: retryFor = 0, signal: outer } = run;
  const lock = { exclusive: false, clock, retryFor, ...(outer === undefined ? {} : { signal: outer }) };
  return await withLock(repository, lock, async (signal) => {
    const wanted = (await readRecords(repository, signal)).filter(({ snapshot }) =>
      ids.includes(snapshot.id),
    );
    if (wanted.length === 0) return [];
    const roots = wanted.map(({ snapshot }) => snapshot.tree);
    await unmarkNeeded(repository, roots, signal);
    for (const { snapshot, sealed } of wanted) {
      signal.throwIfAborted();
      try {
        await repository.backend.save({ type: 'snapshot', name: snapshot.id }, sealed, signal);
      } catch (error) {
        // Its name is its hash: what is there is the same.
        if (!isFailure(error, 'backend.exists')) throw error;
      }
    }
    return wanted.map(({ snapshot }) => snapshot);
  });
}

async function readRecords(
  repository: Repository,
  signal: AbortSignal | undefined,
): Promise<(ForgottenSnapshot & SealedSnapshot)[]> {
  const snapshots = await repository.loadSnapshots(signal);
  const records = snapshots.filter(isRecord);
  if (records.length === 0) return [];
  const seen = new Set(snapshots.map(({ id }) => id));
  const indexed = await repository.loadIndexToRead(signal);
  const found: (ForgottenSnapshot & SealedSnapshot)[] = [];
  for (const record of records.toReversed()) {
    for (const { id, sealed } of await readRecord(indexed, record, signal)) {
      if (seen.has(id) || sha256Id(sealed) !== id) continue;
      seen.add(id);
      const snapshot = repository.openSnapshot(id, sealed);
      if (snapshot === undefined) continue;
      found.push({ id, sealed, snapshot, record: record.id, forgottenAt: Date.parse(record.time) });
    }
  }
  return found;
}
