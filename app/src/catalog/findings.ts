import type { Session } from '../state/session.ts';
import { defined } from './columns.ts';
import type { OpenFinding } from './records.ts';

/** Adds findings; one that stands already keeps the time at which it was found first. */
export async function saveFindings(session: Session, findings: readonly OpenFinding[]): Promise<void> {
  for (const finding of findings) {
    await session.execute(
      `INSERT INTO holdfast.open_finding
         (repository, code, subject, severity, message, hint, source, snapshots, found_at, seen_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       ON CONFLICT (repository, code, subject) DO UPDATE SET severity = excluded.severity,
         message = excluded.message, hint = excluded.hint, source = excluded.source,
         snapshots = excluded.snapshots, found_at = least(open_finding.found_at, excluded.found_at),
         seen_at = greatest(open_finding.seen_at, excluded.seen_at)`,
      [
        finding.repository,
        finding.code,
        finding.subject,
        finding.severity,
        finding.message,
        finding.hint ?? null,
        finding.source ?? null,
        finding.snapshots,
        finding.foundAt,
        finding.seenAt,
      ],
    );
  }
}

/** What a look that began at `lookedAt`, and would have found it again, did not find any more. */
export async function closeFindings(
  session: Session,
  which: { readonly repository: string; readonly codes: readonly string[]; readonly lookedAt: number },
): Promise<void> {
  await session.execute(
    'DELETE FROM holdfast.open_finding WHERE repository = $1 AND code = ANY ($2) AND seen_at < $3',
    [which.repository, which.codes, which.lookedAt],
  );
}

/** What has come to an end for one source, of what was found before `lookedAt`. */
export async function closeSourceFindings(
  session: Session,
  which: {
    readonly repository: string;
    readonly source: string;
    readonly codes: readonly string[];
    readonly lookedAt: number;
  },
): Promise<void> {
  await session.execute(
    'DELETE FROM holdfast.open_finding WHERE repository = $1 AND source = $2 AND code = ANY ($3) AND seen_at < $4',
    [which.repository, which.source, which.codes, which.lookedAt],
  );
}

/** Of one repository or of all. */
export async function readFindings(session: Session, repository?: string): Promise<OpenFinding[]> {
  const rows = await session.query(
    `SELECT repository, code, subject, severity, message, hint, source, snapshots, found_at AS "foundAt",
       seen_at AS "seenAt"
     FROM holdfast.open_finding WHERE $1::text IS NULL OR repository = $1 ORDER BY repository, code, subject`,
    [repository ?? null],
  );
  return rows.map((row) => defined<OpenFinding>(row));
}
