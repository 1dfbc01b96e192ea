import type { StoredSnapshot } from '../../format/types.ts';
import type { Clock } from '../../kernel/clock.ts';
import { Failure, isFailure } from '../../kernel/failure.ts';
import { sha256Id } from '../../kernel/hash.ts';
import { type Id, shortId } from '../../kernel/id.ts';
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
  const { forgotten } = await readRecords(repository, signal);
  return forgotten.map(({ snapshot, record, forgottenAt }) => ({ snapshot, record, forgottenAt }));
}

/**
 * Brings forgotten snapshots back, under their own ids. Under an ordinary lock, so that nobody marks or removes meanwhile:
 * first what they need is taken back from the packs that are marked, then they are saved. Answers those that came back:
 * one that is there is none of them. Before any is saved it throws `snapshot.not-found` when one of them is neither there
 * nor in a record any more, as after a prune since they were listed, and `repository.blob-missing` when their data were freed.
 */
export async function bringBack(
  repository: Repository,
  ids: readonly Id[],
  run: UndoRun,
): Promise<StoredSnapshot[]> {
  const { clock, retryLockFor: retryFor = 0, signal: outer } = run;
  const lock = { exclusive: false, clock, retryFor, ...(outer === undefined ? {} : { signal: outer }) };
  return await withLock(repository, lock, async (signal) => {
    const { there, forgotten } = await readRecords(repository, signal);
    const wanted = forgotten.filter(({ id }) => ids.includes(id));
    const known = new Set([...there, ...wanted.map(({ id }) => id)]);
    const [lost] = ids.filter((id) => !known.has(id));
    if (lost !== undefined) throw notRecorded(lost);
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

function notRecorded(id: Id): Failure {
  return new Failure(
    'snapshot.not-found',
    `${shortId(id)} cannot come back: nothing is kept of it any more`,
    {
      subject: `snapshot ${id}`,
      hint: 'A prune has freed its data since it was forgotten. Without it the others can still be brought back, each by its id.',
    },
  );
}

interface Recorded {
  /** Snapshots that are there. */
  readonly there: ReadonlySet<Id>;
  /** And those that are not, the last forgetting first. */
  readonly forgotten: readonly (ForgottenSnapshot & SealedSnapshot)[];
}

async function readRecords(repository: Repository, signal: AbortSignal | undefined): Promise<Recorded> {
  const snapshots = await repository.loadSnapshots(signal);
  const there = new Set(snapshots.map(({ id }) => id));
  const records = snapshots.filter(isRecord);
  if (records.length === 0) return { there, forgotten: [] };
  const seen = new Set(there);
  const indexed = await repository.loadIndexToRead(signal);
  const forgotten: (ForgottenSnapshot & SealedSnapshot)[] = [];
  for (const record of records.toReversed()) {
    for (const { id, sealed } of await readRecord(indexed, record, signal)) {
      if (seen.has(id) || sha256Id(sealed) !== id) continue;
      seen.add(id);
      const snapshot = repository.openSnapshot(id, sealed);
      if (snapshot === undefined) continue;
      forgotten.push({ id, sealed, snapshot, record: record.id, forgottenAt: Date.parse(record.time) });
    }
  }
  return { there, forgotten };
}
