import type { Session } from '../state/session.ts';
import { POINT_COLUMNS, pointOf } from './points.ts';
import type { Point } from './records.ts';

/** All points of one kind that a source has in a repository, as far as a judge needs them. */
export interface PointSummary extends Pick<Point, 'repository' | 'source' | 'kind'> {
  readonly count: number;
  /** Time of the oldest. */
  readonly oldest: number;
  readonly newest: Point;
  /** The newest that lacks nothing. */
  readonly newestComplete?: Point;
}

type PointRow = Parameters<typeof pointOf>[0];

/** Of everything that is catalogued: hundreds of rows, however many points there are. */
export async function readSummaries(session: Session): Promise<PointSummary[]> {
  const rows = await session.query<{
    repository: string;
    source: string;
    kind: Point['kind'];
    count: number;
    oldest: number;
    newest: string;
    newestComplete: string | null;
  }>(
    `SELECT repository, source, kind, count, oldest, encode(newest, 'hex') AS newest,
       encode(newest_complete, 'hex') AS "newestComplete"
     FROM holdfast.point_summary ORDER BY repository, source, kind`,
  );
  const points = new Map<string, Point>();
  // Each looked up by its key, which LIMIT enforces: the planner would rather read a million points for these hundreds.
  for (const row of await session.query<PointRow>(
    `SELECT ${POINT_COLUMNS} FROM (
       SELECT repository AS place, newest AS named FROM holdfast.point_summary
       UNION SELECT repository, newest_complete FROM holdfast.point_summary WHERE newest_complete IS NOT NULL
     ) AS wanted CROSS JOIN LATERAL (
       SELECT * FROM holdfast.point WHERE repository = place AND snapshot = named LIMIT 1
     ) AS point`,
  )) {
    points.set(`${row.repository}/${row.snapshot}`, pointOf(row));
  }
  return rows.flatMap(({ newest, newestComplete, ...row }) => {
    const point = points.get(`${row.repository}/${newest}`);
    const complete = points.get(`${row.repository}/${newestComplete}`);
    // Removed between the two questions: the next look shows it.
    if (point === undefined) return [];
    return [{ ...row, newest: point, ...(complete === undefined ? {} : { newestComplete: complete }) }];
  });
}
