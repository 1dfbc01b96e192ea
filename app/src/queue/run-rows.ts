import type { Run, RunFailure, RunResult } from '../catalog/records.ts';
import type { Session } from '../state/session.ts';
import type { NewStep, UnfinishedRun } from './new-run.ts';
import type { StepFacts } from './run-progress.ts';

export interface RunRow extends UnfinishedRun {
  readonly cause: Run['cause'];
  readonly attempt: number;
  readonly state: Run['state'];
  readonly notBefore: number;
  readonly cancelling: boolean;
}

export interface StepRow extends StepFacts, NewStep {
  readonly attempt: number;
  readonly job: string | null;
}

const RUN_COLUMNS = `id, kind, about, repositories, cause, attempt, state, priority, cancelling,
  due_at AS "dueAt", queued_at AS "queuedAt", not_before AS "notBefore"`;

export async function readUnfinished(session: Session): Promise<RunRow[]> {
  return await session.query<RunRow>(
    `SELECT ${RUN_COLUMNS} FROM holdfast.run WHERE state IN ('waiting', 'running') ORDER BY queued_at, id`,
  );
}

/** Locked until the transaction ends: the way of a run has one judge at a time. */
export async function lockRun(session: Session, id: string): Promise<RunRow | undefined> {
  const [row] = await session.query<RunRow>(
    `SELECT ${RUN_COLUMNS} FROM holdfast.run WHERE id = $1 FOR UPDATE`,
    [id],
  );
  return row;
}

export async function readSteps(session: Session, run: string): Promise<StepRow[]> {
  const rows = await session.query<
    Omit<StepRow, 'result' | 'failure'> & { result: RunResult | null; failure: RunFailure | null }
  >(
    `SELECT ordinal, name, "order", runs, once, decides, state, attempt, incomplete, job, result, failure
     FROM holdfast.run_step WHERE run = $1 ORDER BY ordinal`,
    [run],
  );
  return rows.map(({ result, failure, ...row }) => ({
    ...row,
    ...(result === null ? {} : { result }),
    ...(failure === null ? {} : { failure }),
  }));
}

/** A value of a jsonb column. */
export function json(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
