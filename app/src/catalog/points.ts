import type { Session, Transaction } from '../state/session.ts';
import type { Point } from './records.ts';

/** Adds points, or brings what is known of them up to date; many thousands at once are fine. */
export async function savePoints(transaction: Transaction, points: readonly Point[]): Promise<void> {
  for (let at = 0; at < points.length; at += AT_ONCE)
    await insert(transaction, points.slice(at, at + AT_ONCE));
  for (const [repository, sources] of sourcesOf(points))
    await summarize(transaction, repository, [...sources]);
}

/** Snapshots that are gone from a repository. */
export async function removePoints(
  transaction: Transaction,
  repository: string,
  snapshots: readonly string[],
): Promise<void> {
  const gone = await transaction.query<{ source: string }>(
    `DELETE FROM holdfast.point WHERE repository = $1
       AND snapshot IN (SELECT decode(listed, 'hex') FROM unnest($2::text[]) AS listed)
     RETURNING source`,
    [repository, snapshots],
  );
  await summarize(transaction, repository, [...new Set(gone.map(({ source }) => source))]);
}

/**
 * All that is remembered of a repository's points, exchanged for what it was found to hold by a look that began at
 * `lookedAt`; what was heard of since then, that look could not see.
 */
export async function replacePoints(
  transaction: Transaction,
  repository: string,
  points: readonly Point[],
  lookedAt: number,
): Promise<void> {
  const found = points.filter((point) => point.repository === repository);
  const gone = await transaction.query<{ source: string }>(
    `DELETE FROM holdfast.point WHERE repository = $1
       AND snapshot NOT IN (SELECT decode(listed, 'hex') FROM unnest($2::text[]) AS listed) AND heard_at < $3
     RETURNING source`,
    [repository, found.map(({ snapshot }) => snapshot), lookedAt],
  );
  await savePoints(transaction, found);
  await summarize(transaction, repository, [...new Set(gone.map(({ source }) => source))]);
}

/** In the order of their times, newest first. */
export async function readPoints(
  session: Session,
  which: Pick<Point, 'repository' | 'source'> & { readonly kinds?: readonly Point['kind'][] },
): Promise<Point[]> {
  return (
    await session.query<PointRow>(
      `SELECT ${POINT_COLUMNS} FROM holdfast.point
       WHERE repository = $1 AND source = $2 AND ($3::text[] IS NULL OR kind = ANY ($3))
       ORDER BY time DESC, snapshot`,
      [which.repository, which.source, which.kinds ?? null],
    )
  ).map(pointOf);
}

/** Names of the repositories that hold a snapshot or a copy of it, by the id that is the same at every place. */
export async function placesOf(session: Session, original: string): Promise<string[]> {
  const rows = await session.query<{ repository: string }>(
    "SELECT DISTINCT repository FROM holdfast.point WHERE original = decode($1, 'hex') ORDER BY 1",
    [original],
  );
  return rows.map(({ repository }) => repository);
}

interface PointRow extends Omit<Point, 'covers'> {
  readonly coversFrom: number | null;
  readonly coversTo: number | null;
}

/** As `pointOf` reads them. */
export const POINT_COLUMNS = `repository, encode(snapshot, 'hex') AS snapshot, encode(original, 'hex') AS original,
  source, kind, time, covers_from AS "coversFrom", covers_to AS "coversTo", bytes, added, complete`;

export function pointOf({ coversFrom, coversTo, ...point }: PointRow): Point {
  return coversFrom === null || coversTo === null
    ? point
    : { ...point, covers: { from: coversFrom, to: coversTo } };
}

async function insert(transaction: Transaction, points: readonly Point[]): Promise<void> {
  const column = <Value>(read: (point: Point) => Value) => points.map(read);
  await transaction.execute(
    `INSERT INTO holdfast.point
     SELECT repository, decode(snapshot, 'hex'), decode(original, 'hex'), source, kind, time, covers_from, covers_to,
       bytes, added, complete
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
       $9::bigint[], $10::bigint[], $11::boolean[]) AS listed (repository, snapshot, original, source, kind, time,
       covers_from, covers_to, bytes, added, complete)
     ON CONFLICT (repository, snapshot) DO UPDATE SET original = excluded.original, source = excluded.source,
       kind = excluded.kind, time = excluded.time, covers_from = excluded.covers_from,
       covers_to = excluded.covers_to, bytes = excluded.bytes, added = excluded.added, complete = excluded.complete
     -- Most of a repository that is read anew is as it was: a row that stays costs nothing.
     WHERE point IS DISTINCT FROM excluded`,
    [
      column(({ repository }) => repository),
      column(({ snapshot }) => snapshot),
      column(({ original }) => original),
      column(({ source }) => source),
      column(({ kind }) => kind),
      column(({ time }) => time),
      column(({ covers }) => covers?.from ?? null),
      column(({ covers }) => covers?.to ?? null),
      column(({ bytes }) => bytes),
      column(({ added }) => added),
      column(({ complete }) => complete),
    ],
  );
}

/** Counted anew for each source that was touched: some thousands of entries of an index. */
async function summarize(
  transaction: Transaction,
  repository: string,
  sources: readonly string[],
): Promise<void> {
  // Two who change the same source at once would each count without the other's points.
  await transaction.execute(
    `SELECT pg_advisory_xact_lock(hashtext('holdfast points'), hashtext($1 || '/' || source))
     FROM (SELECT source FROM unnest($2::text[]) AS listed (source) ORDER BY source) AS ordered`,
    [repository, sources],
  );
  await transaction.execute(
    'DELETE FROM holdfast.point_summary WHERE repository = $1 AND source = ANY ($2)',
    [repository, sources],
  );
  await transaction.execute(
    `INSERT INTO holdfast.point_summary
     SELECT repository, source, kind, count(*), min(time),
       (SELECT snapshot FROM holdfast.point AS one WHERE one.repository = p.repository AND one.source = p.source
          AND one.kind = p.kind ORDER BY time DESC, snapshot LIMIT 1),
       (SELECT snapshot FROM holdfast.point AS one WHERE one.repository = p.repository AND one.source = p.source
          AND one.kind = p.kind AND one.complete ORDER BY time DESC, snapshot LIMIT 1)
     FROM holdfast.point AS p WHERE repository = $1 AND source = ANY ($2)
     GROUP BY repository, source, kind`,
    [repository, sources],
  );
}

function sourcesOf(points: readonly Point[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { repository, source } of points) {
    const sources = found.get(repository) ?? new Set();
    found.set(repository, sources.add(source));
  }
  return found;
}

/** Points in one statement. */
const AT_ONCE = 10_000;
