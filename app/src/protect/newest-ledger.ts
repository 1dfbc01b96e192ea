import { type Failure, isFailure } from '@holdfast/engine';
import { viewRepository } from '../journal/repository-view.ts';
import { openAccess } from '../operations/repository-access.ts';
import { type Duty, repositoryNamed } from './hands.ts';
import { readLedger } from './read-ledger.ts';
import { type Ledger, recordsOf } from './record.ts';

/** A ledger as it was found in a repository. */
export interface FoundLedger {
  readonly repository: string;
  readonly snapshot: string;
  /** When it was written, milliseconds since the epoch. */
  readonly time: number;
  readonly ledger: Ledger;
}

/** The newest ledger of the policy's stack that can be read there; undefined where there is none. */
export async function newestLedger(
  { order: { policy }, hands, work }: Duty,
  name: string,
  onDamaged: (failure: Failure) => void,
): Promise<FoundLedger | undefined> {
  const access = await hands.accessOf(repositoryNamed(policy, name), work.signal);
  await using opened = await openAccess(access, { intent: 'read', ...work }, hands.machine);
  const { snapshots, indexed } = await viewRepository(opened.repository, opened.signal);
  for (const snapshot of recordsOf(snapshots, `stack:${policy.stack}`).toReversed()) {
    try {
      const ledger = await readLedger(indexed, snapshot, opened.signal);
      return { repository: name, snapshot: snapshot.id, time: Date.parse(snapshot.time), ledger };
    } catch (error) {
      // The one before it tells nearly as much.
      if (!isFailure(error) || opened.signal.aborted) throw error;
      onDamaged(error);
    }
  }
  return undefined;
}
