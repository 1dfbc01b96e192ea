import type { OpenFinding, Point } from '../catalog/records.ts';

/** Good: nothing was unreadable when it was taken, and nothing that was found since touches it. */
export function isGood(point: Point, findings: readonly OpenFinding[]): boolean {
  return point.complete && isUndamaged(point, findings);
}

/** The one that must survive whatever rules say: the newest good one, else the best there is. */
export function bestOf(newestFirst: readonly Point[], findings: readonly OpenFinding[]): Point | undefined {
  return (
    newestFirst.find((point) => isGood(point, findings)) ??
    newestFirst.find((point) => isUndamaged(point, findings)) ??
    newestFirst[0]
  );
}

/**
 * Damage of which nobody knows yet which points it touches: until that is known none of them can be called good, and so
 * none may go.
 */
export function damageWithoutPlace(
  points: readonly Point[],
  findings: readonly OpenFinding[],
): OpenFinding | undefined {
  return findings.find(
    (finding) =>
      finding.severity === 'error' &&
      finding.snapshots.length === 0 &&
      points.some((point) => concerns(finding, point)),
  );
}

/** A note is no doubt. */
function isUndamaged(point: Point, findings: readonly OpenFinding[]): boolean {
  return !findings.some(
    (finding) =>
      finding.severity !== 'note' && finding.snapshots.includes(point.snapshot) && concerns(finding, point),
  );
}

function concerns({ repository, source }: OpenFinding, point: Point): boolean {
  return repository === point.repository && (source ?? point.source) === point.source;
}

/** Where a base is consistent, where a slice ends: a snapshot's time where nothing better is known. */
export function endOf({ covers, time }: Point): number {
  return covers?.to ?? time;
}
