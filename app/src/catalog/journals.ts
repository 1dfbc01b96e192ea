import type { Session } from '../state/session.ts';
import { defined } from './columns.ts';
import type { JournalState } from './records.ts';

/** What a journal says of itself takes the place of what it said before. */
export async function saveJournal(session: Session, journal: JournalState): Promise<void> {
  await session.execute(
    `INSERT INTO holdfast.journal
       (source, state, seen_at, spool_moment, repository_moment, since, restarts, failure)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (source) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at,
       spool_moment = excluded.spool_moment, repository_moment = excluded.repository_moment,
       since = excluded.since, restarts = excluded.restarts, failure = excluded.failure`,
    [
      journal.source,
      journal.state,
      journal.seenAt,
      journal.spoolMoment ?? null,
      journal.repositoryMoment ?? null,
      journal.since,
      journal.restarts,
      journal.failure === undefined ? null : JSON.stringify(journal.failure),
    ],
  );
}

/** Of a source that has no journal any more. */
export async function removeJournal(session: Session, source: string): Promise<void> {
  await session.execute('DELETE FROM holdfast.journal WHERE source = $1', [source]);
}

export async function readJournals(session: Session): Promise<JournalState[]> {
  const rows = await session.query(
    `SELECT source, state, seen_at AS "seenAt", spool_moment AS "spoolMoment",
       repository_moment AS "repositoryMoment", since, restarts, failure
     FROM holdfast.journal ORDER BY source`,
  );
  return rows.map((row) => defined<JournalState>(row));
}
