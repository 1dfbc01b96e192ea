import type { Session } from '../state/session.ts';
import { defined } from './columns.ts';
import type { RepositorySize } from './records.ts';

/** Adds a measurement, and thins the old ones: all of the last two days, then one a day, for two years. */
export async function saveSize(session: Session, size: RepositorySize): Promise<void> {
  await session.execute(
    `INSERT INTO holdfast.repository_size (repository, at, bytes, free) VALUES ($1, $2, $3, $4)
     ON CONFLICT (repository, at) DO UPDATE SET bytes = excluded.bytes, free = excluded.free`,
    [size.repository, size.at, size.bytes, size.free ?? null],
  );
  await session.execute(
    `DELETE FROM holdfast.repository_size AS old WHERE repository = $1 AND (at < $2 OR (at < $3 AND EXISTS (
       SELECT FROM holdfast.repository_size AS later WHERE later.repository = old.repository
         AND later.at > old.at AND later.at / $4 = old.at / $4)))`,
    [size.repository, size.at - 731 * DAY, size.at - 2 * DAY, DAY],
  );
}

/** Oldest first, by repository. */
export async function readSizes(session: Session, since = 0): Promise<RepositorySize[]> {
  const rows = await session.query(
    'SELECT repository, at, bytes, free FROM holdfast.repository_size WHERE at >= $1 ORDER BY repository, at',
    [since],
  );
  return rows.map((row) => defined<RepositorySize>(row));
}

/** Milliseconds. */
const DAY = 86_400_000;
