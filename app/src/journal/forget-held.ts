import { type Clock, forgetSnapshots, type Id, type Repository } from '@holdfast/engine';
import { viewRepository } from './repository-view.ts';
import { heldSlices } from './roll-up-plan.ts';
import type { JournalPlace } from './slice.ts';
import { listSlices, type StoredSlice } from './slice-list.ts';
import { PARTIAL } from './spool-files.ts';

export interface HeldPlace {
  readonly repository: Repository;
  readonly place: JournalPlace;
  readonly clock: Clock;
  /** Milliseconds to wait while somebody has the repository for himself. */
  readonly retryLock: number;
  readonly signal: AbortSignal;
}

/**
 * Forgets the slices of a journal that lie in one of its roll-ups as well, file by file; answers which. For a repository
 * that the journal was copied to: where it is kept, whoever rolls up forgets.
 */
export async function forgetHeldSlices({
  repository,
  place,
  clock,
  retryLock,
  signal,
}: HeldPlace): Promise<Id[]> {
  const { snapshots, indexed } = await viewRepository(repository, signal);
  const slices = await listSlices(indexed, snapshots, place, signal);
  const byId = new Map(slices.map((slice) => [slice.id, slice]));
  const facts = slices.map((slice) => ({ ...slice, names: slice.files.map(({ name }) => name.toString()) }));
  const needless = heldSlices(facts).filter(({ id, by }) => hasSameContent(byId.get(id), byId.get(by)));
  if (needless.length === 0) return [];
  return await forgetSnapshots(
    repository,
    needless.map(({ id }) => id),
    {
      clock,
      retryLockFor: retryLock,
      standIns: [...new Set(needless.map(({ by }) => by))],
      undoable: true,
      signal,
    },
  );
}

/** Whole files are the same in both, and not of the same name alone; of partial ones the roll-up's is the longer one. */
function hasSameContent(slice: StoredSlice | undefined, rollUp: StoredSlice | undefined): boolean {
  const contents = new Map(rollUp?.files.map(({ name, content = [] }) => [name.toString(), content.join()]));
  return (
    slice?.files.every(
      ({ name, content = [] }) =>
        name.toString().endsWith(PARTIAL) || contents.get(name.toString()) === content.join(),
    ) === true
  );
}
