import type { Session } from '../state/session.ts';
import { defined } from './columns.ts';
import type { Run, RunStep } from './records.ts';

type Wanted = readonly Pick<Run, 'kind' | 'about'>[];

/** Of each kind and about that is asked for: the last one that was queued. */
export async function readLastRuns(session: Session, wanted: Wanted): Promise<Run[]> {
  return await readLast(session, wanted, 'true');
}

/** Of each kind and about that is asked for: the last one that has ended, whatever waits or runs behind it. */
export async function readLastEndedRuns(session: Session, wanted: Wanted): Promise<Run[]> {
  return await readLast(session, wanted, 'ended_at IS NOT NULL');
}

/** Of each kind and about that is asked for: the last one that ended well, wholly or nearly. */
export async function readLastGoodRuns(session: Session, wanted: Wanted): Promise<Run[]> {
  return await readLast(session, wanted, "state IN ('succeeded', 'incomplete')");
}

async function readLast(session: Session, wanted: Wanted, condition: string): Promise<Run[]> {
  return await readRunRows(
    session,
    `SELECT last.* FROM unnest($1::text[], $2::text[]) AS wanted (kind, about)
     CROSS JOIN LATERAL (SELECT * FROM holdfast.run WHERE run.kind = wanted.kind AND run.about = wanted.about
       AND ${condition} ORDER BY queued_at DESC LIMIT 1) AS last`,
    [wanted.map(({ kind }) => kind), wanted.map(({ about }) => about)],
  );
}

/** Those that wait or run. */
export async function readUnfinishedRuns(session: Session): Promise<Run[]> {
  return await readRunRows(session, "SELECT * FROM holdfast.run WHERE state IN ('waiting', 'running')");
}

/** All that have ended and were not pruned. */
export async function readEndedRuns(session: Session): Promise<Run[]> {
  return await readRunRows(session, 'SELECT * FROM holdfast.run WHERE ended_at IS NOT NULL');
}

/** When the last one of all ended; undefined when none has. */
export async function readLastEnd(session: Session): Promise<number | undefined> {
  const [row] = await session.query<{ at: number | null }>('SELECT max(ended_at) AS at FROM holdfast.run');
  return row?.at ?? undefined;
}

/** One of them, whatever its state. */
export async function readRun(session: Session, id: string): Promise<Run | undefined> {
  return (await readRunRows(session, 'SELECT * FROM holdfast.run WHERE id = $1', [id]))[0];
}

/** Newest first. */
export async function readRuns(
  session: Session,
  { most, kind, about }: { readonly most: number } & Partial<Pick<Run, 'kind' | 'about'>>,
): Promise<Run[]> {
  return await readRunRows(
    session,
    `SELECT * FROM holdfast.run WHERE ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR about = $2)
     ORDER BY queued_at DESC LIMIT $3`,
    [kind ?? null, about ?? null, most],
  );
}

/** History that was read from a repository's own records; runs that are known already stay as they are. */
export async function saveHistory(session: Session, runs: readonly Run[]): Promise<void> {
  for (const run of runs) {
    const inserted = await session.query(
      `INSERT INTO holdfast.run (id, kind, about, repositories, cause, due_at, queued_at, not_before, priority,
         started_at, ended_at, attempt, state, result, failure)
       VALUES ($1, $2, $3, '{}', $4, $5, $6, $6, 0, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING 1`,
      [
        run.id,
        run.kind,
        run.about,
        run.cause,
        run.dueAt,
        run.queuedAt,
        run.startedAt ?? null,
        run.endedAt ?? null,
        run.attempt,
        run.state,
        json(run.result),
        json(run.failure),
      ],
    );
    if (inserted.length > 0) await saveSteps(session, run);
  }
}

/** Ended runs go after `before`, but of each kind and about the last one and the last good one stay. */
export async function pruneRuns(session: Session, before: number): Promise<void> {
  await session.execute(
    `DELETE FROM holdfast.run AS old WHERE ended_at < $1
       AND EXISTS (SELECT FROM holdfast.run AS later WHERE later.kind = old.kind AND later.about = old.about
         AND later.queued_at > old.queued_at AND (old.state NOT IN ('succeeded', 'incomplete')
           OR later.state IN ('succeeded', 'incomplete')))`,
    [before],
  );
}

type RunRow = Omit<Run, 'steps'>;

const RUN_COLUMNS = `id, kind, about, cause, due_at AS "dueAt", queued_at AS "queuedAt",
  CASE WHEN state = 'waiting' THEN not_before END AS "notBefore",
  started_at AS "startedAt", ended_at AS "endedAt", attempt, state, result, failure`;

async function readRunRows(session: Session, select: string, values: readonly unknown[] = []) {
  const rows = await session.query(
    `SELECT ${RUN_COLUMNS} FROM (${select}) AS run ORDER BY queued_at DESC, id`,
    values,
  );
  const runs = rows.map((row) => defined<RunRow>(row));
  const steps = new Map<string, RunStep[]>(runs.map(({ id }) => [id, []]));
  for (const { run, ...step } of await session.query<{ run: string }>(
    `SELECT run, ordinal, name, state, attempt, started_at AS "startedAt", ended_at AS "endedAt", result, failure
     FROM holdfast.run_step WHERE run = ANY ($1) ORDER BY run, ordinal`,
    [[...steps.keys()]],
  )) {
    steps.get(run)?.push(defined<RunStep>(step));
  }
  return runs.map((run): Run => ({ ...run, steps: steps.get(run.id) ?? [] }));
}

async function saveSteps(session: Session, run: Run): Promise<void> {
  for (const step of run.steps) {
    await session.execute(
      `INSERT INTO holdfast.run_step (run, ordinal, name, "order", runs, once, decides, state, attempt,
         started_at, ended_at, result, failure)
       VALUES ($1, $2, $3, 'null', 'always', true, false, $4, $5, $6, $7, $8, $9)`,
      [
        run.id,
        step.ordinal,
        step.name,
        step.state,
        step.attempt,
        step.startedAt ?? null,
        step.endedAt ?? null,
        json(step.result),
        json(step.failure),
      ],
    );
  }
}

function json(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
