import type { Session, Transaction } from '../state/session.ts';
import type { RecoveryWindow } from './records.ts';

/** Exchanges what is remembered of one source in one repository, or of all of its sources, for what was found. */
export async function replaceWindows(
  transaction: Transaction,
  place: { readonly repository: string; readonly source?: string },
  windows: readonly RecoveryWindow[],
): Promise<void> {
  await transaction.execute(
    'DELETE FROM holdfast.recovery_window WHERE repository = $1 AND ($2::text IS NULL OR source = $2)',
    [place.repository, place.source ?? null],
  );
  await transaction.execute(
    `INSERT INTO holdfast.recovery_window (repository, source, begins, ends)
     SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])`,
    [
      windows.map(({ repository }) => repository),
      windows.map(({ source }) => source),
      windows.map(({ from }) => from),
      windows.map(({ to }) => to),
    ],
  );
}

/** Oldest first, by repository and source. */
export async function readWindows(session: Session): Promise<RecoveryWindow[]> {
  return await session.query<RecoveryWindow>(
    `SELECT repository, source, begins AS "from", ends AS "to" FROM holdfast.recovery_window
     ORDER BY repository, source, begins`,
  );
}
