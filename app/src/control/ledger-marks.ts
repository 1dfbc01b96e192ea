import { readMarks, removeMarks, saveMarks } from '../catalog/schedule-marks.ts';
import type { Policy } from '../policy/model.ts';
import type { Session } from '../state/session.ts';

/** Up to when the ledger that lies in a repository tells what happened, beside the marks of the schedules. */

/** A ledger that was begun at `at` has been written. */
export async function noteLedger(session: Session, repository: string, at: number): Promise<void> {
  await saveMarks(session, new Map([[markOf(repository), at]]));
}

/** Those that are there tell another policy than the one that is gone by now. */
export async function outdateLedgers(session: Session, { repositories }: Policy): Promise<void> {
  await removeMarks(
    session,
    repositories.map(({ name }) => markOf(name)),
  );
}

/** By name of a repository; one that is not in it has none, or an outdated one. */
export async function readLedgerMarks(
  session: Session,
  { repositories }: Policy,
): Promise<Map<string, number>> {
  const marks = await readMarks(session);
  return new Map(
    repositories.flatMap(({ name }) => {
      const at = marks.get(markOf(name));
      return at === undefined ? [] : [[name, at] as const];
    }),
  );
}

function markOf(repository: string): string {
  return `record ${repository}`;
}
