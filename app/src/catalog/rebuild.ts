import type { Session, Transaction } from '../state/session.ts';
import { closeFindings, readFindings, saveFindings } from './findings.ts';
import { POINT_COLUMNS, pointOf, replacePoints } from './points.ts';
import type { OpenFinding, Point, RecoveryWindow, Run } from './records.ts';
import { readEndedRuns, saveHistory } from './runs.ts';
import { readWindows, replaceWindows } from './windows.ts';

/** What a repository says about itself and what happened to it. */
export interface CataloguedRepository {
  readonly points: readonly Point[];
  readonly windows: readonly RecoveryWindow[];
  readonly findings: readonly OpenFinding[];
  /** Ended ones, from our own records in the repository. */
  readonly runs: readonly Run[];
}

/** Exchanges all that is remembered of a repository; runs are added to those that are known. */
export async function replaceCatalog(
  transaction: Transaction,
  repository: string,
  found: CataloguedRepository,
): Promise<void> {
  await replacePoints(transaction, repository, found.points, Number.MAX_SAFE_INTEGER);
  await replaceWindows(transaction, { repository }, found.windows);
  const codes = (await readFindings(transaction, repository)).map(({ code }) => code);
  await closeFindings(transaction, { repository, codes, lookedAt: Number.MAX_SAFE_INTEGER });
  await saveFindings(transaction, found.findings);
  await saveHistory(transaction, found.runs);
}

/** All that can be rebuilt, one JSON text a line in an order that depends on nothing else: equal when equal. */
export async function* dumpCatalog(session: Session): AsyncGenerator<string> {
  let after: [string, string] = ['', ''];
  for (;;) {
    const rows = await session.query<Parameters<typeof pointOf>[0]>(
      `SELECT ${POINT_COLUMNS} FROM holdfast.point WHERE (repository, snapshot) > ($1, decode($2, 'hex'))
       ORDER BY repository, snapshot LIMIT 10000`,
      after,
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    for (const row of rows) yield line('point', pointOf(row));
    after = [last.repository, last.snapshot];
  }
  for (const window of await readWindows(session)) yield line('window', window);
  for (const finding of await readFindings(session)) yield line('finding', finding);
  for (const run of await readEndedRuns(session)) yield line('run', run);
}

function line(record: string, value: object): string {
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ record, ...Object.fromEntries(sorted) });
}
