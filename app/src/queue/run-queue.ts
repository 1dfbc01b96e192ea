import { randomUUID } from 'node:crypto';
import type { Clock } from '@holdfast/engine';
import type { Database, Transaction } from '../state/session.ts';
import type { NewRun, StepOutcome, UnfinishedRun } from './new-run.ts';
import { progressOf, type RunEnd } from './run-progress.ts';
import { json, lockRun, type RunRow, readSteps, readUnfinished, type StepRow } from './run-rows.ts';
import { type Claim, RENEWED, StepJobs, WAITING } from './step-jobs.ts';

/** Which of the waiting runs may start now, the first one first, beside those that run. Pure: asked under a lock. */
export type MayStart = (
  waiting: readonly UnfinishedRun[],
  running: readonly UnfinishedRun[],
) => readonly UnfinishedRun[];

export interface TakenStep {
  readonly run: UnfinishedRun & Pick<RunRow, 'cause' | 'attempt'>;
  readonly ordinal: number;
  readonly name: string;
  readonly order: unknown;
  /** 1 for the first time; more when somebody who held it before died. */
  readonly attempt: number;
  /** Steps before it, as they ended: what an `after` hook is told. */
  readonly before: readonly Pick<StepRow, 'name' | 'state' | 'result' | 'failure'>[];
}

/** `lost`: somebody else has it by now; whatever comes out here counts for nothing. */
export type Beat = 'ours' | 'cancel' | 'lost';

/** Told on this channel when a step may be there to be taken. */
export const STEP_CHANNEL = 'holdfast_step';

/**
 * Runs and their steps. A run is rows, and has one job at a time: that of its next step, made in the transaction that
 * records the end of the last one. So whoever is killed, at whatever moment, the next one to ask goes on where it was.
 *
 * Who decides takes the advisory lock first: limits hold over all control planes of one database.
 */
export class RunQueue implements AsyncDisposable {
  readonly #database: Database;
  readonly #jobs: StepJobs;
  readonly #clock: Clock;
  readonly #claims = new WeakMap<TakenStep, Claim & { since: number }>();
  #tendedAt = 0;

  private constructor(database: Database, jobs: StepJobs, clock: Clock) {
    this.#database = database;
    this.#jobs = jobs;
    this.#clock = clock;
  }

  static async open(database: Database, clock: Clock): Promise<RunQueue> {
    return new RunQueue(database, await StepJobs.open(database), clock);
  }

  /** Its id; `already there` while another one of the same kind and about has not ended. */
  async enqueue(run: NewRun): Promise<{ readonly id: string } | 'already there'> {
    return await this.#database.transaction((transaction) => this.enqueueIn(transaction, run));
  }

  /**
   * In a transaction that does more, such as recording what it is the answer to. One that waits for a later time, to be tried
   * again, takes this one's place and time: else who fails once would be passed over until then.
   */
  async enqueueIn(transaction: Transaction, run: NewRun): Promise<{ readonly id: string } | 'already there'> {
    const now = this.#clock.now();
    const id = randomUUID();
    const [row] = await transaction.query<{ id: string }>(
      `INSERT INTO holdfast.run (id, kind, about, repositories, cause, due_at, queued_at, not_before, priority, attempt, state)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'waiting')
       ON CONFLICT (kind, about) WHERE state IN ('waiting', 'running') DO UPDATE
         SET not_before = excluded.not_before, due_at = excluded.due_at
         WHERE run.state = 'waiting' AND run.not_before > excluded.not_before
       RETURNING id`,
      [
        id,
        run.kind,
        run.about,
        run.repositories,
        run.cause,
        run.dueAt,
        now,
        run.notBefore ?? now,
        run.priority,
        run.attempt,
      ],
    );
    if (row === undefined) return 'already there';
    if (row.id !== id) {
      await tell(transaction);
      return 'already there';
    }
    await transaction.execute(
      `INSERT INTO holdfast.run_step (run, ordinal, name, "order", runs, once, decides, state)
       SELECT $1, ordinal, step->>'name', step->'order', step->>'runs', (step->>'once')::boolean,
         (step->>'decides')::boolean, 'waiting'
       FROM jsonb_array_elements($2) WITH ORDINALITY AS listed (step, ordinal)`,
      [id, JSON.stringify(run.steps.map((step) => ({ ...step, order: step.order ?? null })))],
    );
    await this.#goOn(transaction, id, WAITING);
    return { id };
  }

  /** The next step to be done: of a run that has begun, else the first of one that may. */
  async take(who: string, mayStart: MayStart): Promise<TakenStep | undefined> {
    await this.#tend();
    return await this.#database.transaction(async (transaction) => {
      await transaction.execute("SELECT pg_advisory_xact_lock(hashtext('holdfast take'))");
      return (await this.#takeBegun(transaction, who)) ?? (await this.#takeFirst(transaction, who, mayStart));
    });
  }

  /** To be called every few seconds while a step is worked on. */
  async beat(step: TakenStep): Promise<Beat> {
    const claim = this.#claimOn(step);
    if (this.#clock.now() - claim.since > RENEW_AFTER) await this.#renew(step, claim);
    if (!(await this.#jobs.beat(this.#database, this.#claimOn(step)))) return 'lost';
    const [row] = await this.#database.query<{ cancelling: boolean }>(
      'SELECT cancelling FROM holdfast.run WHERE id = $1',
      [step.run.id],
    );
    return row?.cancelling === true ? 'cancel' : 'ours';
  }

  /** Records the end of a step and what follows from it. False: it was not ours any more, and nothing was recorded. */
  async finish(step: TakenStep, outcome: StepOutcome): Promise<boolean> {
    return await this.#database.transaction(async (transaction) => {
      // Before the job: whoever takes it does so in this order, too.
      await lockRun(transaction, step.run.id);
      if (!(await this.#jobs.complete(transaction, this.#claimOn(step)))) return false;
      await transaction.execute(
        `UPDATE holdfast.run_step SET state = $3, incomplete = $4, result = $5, failure = $6, ended_at = $7, job = NULL
         WHERE run = $1 AND ordinal = $2`,
        [
          step.run.id,
          step.ordinal,
          outcome.state,
          outcome.incomplete === true,
          json(outcome.result),
          json(outcome.failure),
          this.#clock.now(),
        ],
      );
      await this.#goOn(transaction, step.run.id);
      return true;
    });
  }

  /** Gives a step back that was not begun, or may be begun again: whoever comes next takes it. */
  async giveBack(step: TakenStep): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await lockRun(transaction, step.run.id);
      if (!(await this.#jobs.giveBack(transaction, this.#claimOn(step)))) return;
      await transaction.execute(
        "UPDATE holdfast.run_step SET state = 'waiting', holder = NULL WHERE run = $1 AND ordinal = $2",
        [step.run.id, step.ordinal],
      );
      await tell(transaction);
    });
  }

  /** A run that has not begun ends at once; of one that has, whoever holds its step is told with the next beat. */
  async cancel(id: string): Promise<'cancelled' | 'told' | 'not there'> {
    return await this.#database.transaction(async (transaction) => {
      const run = await lockRun(transaction, id);
      if (run === undefined || (run.state !== 'waiting' && run.state !== 'running')) return 'not there';
      await transaction.execute('UPDATE holdfast.run SET cancelling = true WHERE id = $1', [id]);
      if (run.state === 'running') return 'told';
      for (const { job } of await readSteps(transaction, id)) {
        if (job !== null) await this.#jobs.remove(transaction, job);
      }
      await transaction.execute("UPDATE holdfast.run_step SET state = 'skipped', job = NULL WHERE run = $1", [
        id,
      ]);
      await this.#end(transaction, id, { state: 'cancelled' });
      return 'cancelled';
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#jobs[Symbol.asyncDispose]();
  }

  /** Runs that have begun go before new ones: they hold their place in the limits. */
  async #takeBegun(transaction: Transaction, who: string): Promise<TakenStep | undefined> {
    for (;;) {
      const job = await this.#jobs.fetch(transaction);
      if (job === undefined) return undefined;
      const run = await lockRun(transaction, job.run);
      const steps = run === undefined ? [] : await readSteps(transaction, job.run);
      const step = steps.find(({ ordinal }) => ordinal === job.ordinal);
      if (run === undefined || step === undefined || step.job !== job.id) {
        await this.#jobs.complete(transaction, job);
      } else if (step.state === 'running' && step.once) {
        await this.#leaveUnknown(transaction, run, step, job);
      } else {
        return await this.#hold(transaction, who, { run, step, steps, job });
      }
    }
  }

  async #takeFirst(
    transaction: Transaction,
    who: string,
    mayStart: MayStart,
  ): Promise<TakenStep | undefined> {
    const now = this.#clock.now();
    const unfinished = await readUnfinished(transaction);
    const waiting = unfinished.filter(({ state, notBefore }) => state === 'waiting' && notBefore <= now);
    if (waiting.length === 0) return undefined;
    const running = unfinished.filter(({ state }) => state === 'running');
    const [chosen] = mayStart(waiting, running);
    if (chosen === undefined) return undefined;
    const job = (await readSteps(transaction, chosen.id)).find((step) => step.job !== null)?.job;
    if (typeof job !== 'string') return undefined;
    await this.#jobs.admit(transaction, job);
    return await this.#takeBegun(transaction, who);
  }

  async #hold(
    transaction: Transaction,
    who: string,
    { run, step, steps, job }: { run: RunRow; step: StepRow; steps: readonly StepRow[]; job: Claim },
  ): Promise<TakenStep> {
    const now = this.#clock.now();
    await transaction.execute(
      `UPDATE holdfast.run_step SET state = 'running', attempt = attempt + 1, holder = $3, started_at = $4
       WHERE run = $1 AND ordinal = $2`,
      [run.id, step.ordinal, who, now],
    );
    await transaction.execute(
      "UPDATE holdfast.run SET state = 'running', started_at = coalesce(started_at, $2) WHERE id = $1",
      [run.id, now],
    );
    const taken: TakenStep = {
      run,
      ordinal: step.ordinal,
      name: step.name,
      order: step.order,
      attempt: step.attempt + 1,
      before: steps.filter(({ ordinal }) => ordinal < step.ordinal),
    };
    this.#claims.set(taken, { ...job, since: now });
    return taken;
  }

  /** Its holder died while it was done: it may have happened, wholly, partly or not at all. */
  async #leaveUnknown(transaction: Transaction, run: RunRow, step: StepRow, job: Claim): Promise<void> {
    await this.#jobs.complete(transaction, job);
    const failure = {
      code: 'interrupted',
      message: `nobody knows how "${step.name}" ended: the process that did it is gone, and it is never done twice`,
    };
    await transaction.execute(
      `UPDATE holdfast.run_step SET state = 'unknown', failure = $3, ended_at = $4, job = NULL
       WHERE run = $1 AND ordinal = $2`,
      [run.id, step.ordinal, json(failure), this.#clock.now()],
    );
    await this.#goOn(transaction, run.id);
  }

  /** The next step gets its job, or the run ends. */
  async #goOn(transaction: Transaction, id: string, priority?: number): Promise<void> {
    const run = await lockRun(transaction, id);
    const { skipped, next, end } = progressOf(await readSteps(transaction, id), run?.cancelling ?? false);
    await transaction.execute(
      "UPDATE holdfast.run_step SET state = 'skipped' WHERE run = $1 AND ordinal = ANY ($2)",
      [id, skipped],
    );
    if (end !== undefined) return await this.#end(transaction, id, end);
    if (next === undefined) return;
    const job = await this.#jobs.send(transaction, { run: id, ordinal: next }, priority);
    await transaction.execute('UPDATE holdfast.run_step SET job = $3 WHERE run = $1 AND ordinal = $2', [
      id,
      next,
      job,
    ]);
    await tell(transaction);
  }

  async #end(transaction: Transaction, id: string, { state, result, failure }: RunEnd): Promise<void> {
    await transaction.execute(
      'UPDATE holdfast.run SET state = $2, result = $3, failure = $4, ended_at = $5 WHERE id = $1',
      [id, state, json(result), json(failure), this.#clock.now()],
    );
    // Room for others.
    await tell(transaction);
  }

  /** pg-boss ends a job after a day however much it beats: a step that lasts longer goes over to a new one before. */
  async #renew(step: TakenStep, claim: Claim): Promise<void> {
    const renewed = await this.#database.transaction(async (transaction) => {
      await transaction.execute("SELECT pg_advisory_xact_lock(hashtext('holdfast take'))");
      await lockRun(transaction, step.run.id);
      if (!(await this.#jobs.complete(transaction, claim))) return undefined;
      const id = await this.#jobs.send(transaction, { run: step.run.id, ordinal: step.ordinal }, RENEWED);
      const job = await this.#jobs.fetch(transaction, RENEWED);
      if (job?.id !== id) throw new TypeError('another job was renewed and lost at the same moment');
      await this.#jobs.admit(transaction, id);
      await transaction.execute('UPDATE holdfast.run_step SET job = $3 WHERE run = $1 AND ordinal = $2', [
        step.run.id,
        step.ordinal,
        id,
      ]);
      return job;
    });
    if (renewed !== undefined) this.#claims.set(step, { ...renewed, since: this.#clock.now() });
  }

  /** While something runs, its heartbeat may stop; while nothing does, there is only some tidying up. */
  async #tend(): Promise<void> {
    const now = this.#clock.now();
    const since = now - this.#tendedAt;
    if (since < TEND_EVERY) return;
    const [row] = await this.#database.query<{ busy: boolean }>(
      "SELECT EXISTS (SELECT FROM holdfast.run WHERE state = 'running') AS busy",
    );
    if (row?.busy !== true && since < TIDY_EVERY) return;
    this.#tendedAt = now;
    await this.#jobs.tend();
  }

  #claimOn(step: TakenStep): Claim & { since: number } {
    const claim = this.#claims.get(step);
    if (claim === undefined) throw new TypeError('a step is finished by the queue that it was taken from');
    return claim;
  }
}

async function tell(transaction: Transaction): Promise<void> {
  await transaction.execute(`NOTIFY ${STEP_CHANNEL}`);
}

/** Milliseconds. */
const TEND_EVERY = 3000;
const TIDY_EVERY = 3_600_000;
const RENEW_AFTER = 12 * 3_600_000;
