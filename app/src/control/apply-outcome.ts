import { closeFindings, readFindings, saveFindings } from '../catalog/findings.ts';
import { removePoints, replacePoints, savePoints } from '../catalog/points.ts';
import { saveSize } from '../catalog/sizes.ts';
import { replaceWindows } from '../catalog/windows.ts';
import type { Examination, RepositorySurvey, TaskOutcome } from '../protect/task.ts';
import type { Database, Session, Transaction } from '../state/session.ts';

/**
 * Brings what is remembered of the repositories up to date with what a task has done there. Done before its step counts as
 * ended: done twice, after a kill in between, it is the same.
 */
export async function applyOutcome(database: Database, outcome: TaskOutcome): Promise<void> {
  const { added, removed, survey, examined } = outcome;
  await database.transaction(async (session) => {
    if (added.length > 0) await savePoints(session, added);
    for (const [repository, points] of Map.groupBy(removed, (point) => point.repository)) {
      await removePoints(
        session,
        repository,
        points.map(({ snapshot }) => snapshot),
      );
    }
    if (survey !== undefined) await applySurvey(session, survey);
    if (examined !== undefined) await applyExamination(session, examined);
  });
}

async function applySurvey(
  session: Transaction,
  { repository, at, points, windows, size }: RepositorySurvey,
): Promise<void> {
  await replacePoints(session, repository, points, at);
  await replaceWindows(session, { repository }, windows);
  await saveSize(session, size);
}

/**
 * A check of the structure would have found again whatever is wrong with it; what was found in the data stands until the
 * data is read again as a whole, or until it is not needed any more.
 */
async function applyExamination(
  session: Session,
  { repository, at, findings, share }: Examination,
): Promise<void> {
  const standing = await readFindings(session, repository);
  // What a source's journal has found is not for a check to see again.
  const ofChecks = standing.filter(({ source }) => source === undefined).map(({ code }) => code);
  const codes = ofChecks.filter((code) => share === 1 || !isOfData(code));
  await saveFindings(session, findings);
  await closeFindings(session, { repository, codes: [...new Set(codes)], lookedAt: at });
}

/** Found by reading packs back. */
function isOfData(code: string): boolean {
  return code.startsWith('pack.');
}
