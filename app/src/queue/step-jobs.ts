import { PgBoss } from 'pg-boss';
import type { Database, Session } from '../state/session.ts';

/** Which attempt at a job somebody holds: a later one makes it void. */
export interface Claim {
  readonly id: string;
  readonly retryCount: number;
}

/** What a job says: the step it is for. */
export interface StepJob extends Claim {
  readonly run: string;
  readonly ordinal: number;
}

/**
 * pg-boss, as far as we use it: one job for each step that is to be done, with a heartbeat. Its schedules are not used
 * (what is due is decided elsewhere), and it looks after itself only when it is asked to.
 *
 * Priority says how far a job is: WAITING until its run may start, from then on ADMITTED. So exactly the job that was
 * chosen can be fetched: it is the only one from that number on.
 */
export class StepJobs implements AsyncDisposable {
  readonly #boss: PgBoss;

  private constructor(boss: PgBoss) {
    this.#boss = boss;
  }

  static async open(database: Database): Promise<StepJobs> {
    const boss = new PgBoss({
      db: adapted(database),
      schema: 'holdfast_jobs',
      schedule: false,
      supervise: false,
      monitorIntervalSeconds: 2,
      // Nothing changes behind its back, and no job waits for another: these only need to be rare.
      queueCacheIntervalSeconds: DAY,
      flowIntervalSeconds: DAY,
      bamIntervalSeconds: DAY,
      // Those are for millions of jobs; here there are hundreds.
      monitorVacuum: false,
      reindex: false,
    });
    // What goes wrong in its own timers is tried again; what goes wrong in a call is thrown.
    boss.on('error', () => undefined);
    await boss.start();
    await boss.createQueue(QUEUE, QUEUE_OPTIONS);
    return new StepJobs(boss);
  }

  /** Its id. */
  async send(session: Session, step: Omit<StepJob, keyof Claim>, priority = ADMITTED): Promise<string> {
    const id = await this.#boss.send(QUEUE, step, { db: adapted(session), priority });
    if (id === null) throw new TypeError('a job without a key is never refused');
    return id;
  }

  async admit(session: Session, id: string, priority = ADMITTED): Promise<void> {
    await this.#boss.update(QUEUE, undefined, { id, priority, db: adapted(session) });
  }

  /** The next job of at least this priority that nobody holds. */
  async fetch(session: Session, minPriority = ADMITTED): Promise<StepJob | undefined> {
    const [job] = await this.#boss.fetch<Omit<StepJob, keyof Claim>>(QUEUE, {
      db: adapted(session),
      minPriority,
    });
    return job === undefined ? undefined : { ...job.data, id: job.id, retryCount: job.retryCount };
  }

  /** False when the claim is void: then nothing was done. */
  async complete(session: Session, claim: Claim): Promise<boolean> {
    return affected(await this.#boss.complete(QUEUE, claimOf(claim), null, { db: adapted(session) }));
  }

  /** Gives a job back for whoever comes next. */
  async giveBack(session: Session, claim: Claim): Promise<boolean> {
    return affected(await this.#boss.fail(QUEUE, claimOf(claim), null, { db: adapted(session) }));
  }

  async remove(session: Session, id: string): Promise<void> {
    await this.#boss.cancel(QUEUE, id, { db: adapted(session) });
  }

  /** Says that a job is still worked on. */
  async beat(session: Session, claim: Claim): Promise<boolean> {
    return affected(await this.#boss.touch(QUEUE, claimOf(claim), { db: adapted(session) }));
  }

  /** Calls in jobs whose heartbeat stopped, and clears away what is over. Several control planes do not do it twice. */
  async tend(): Promise<void> {
    await this.#boss.supervise(QUEUE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#boss.stop({ close: false, graceful: false });
  }
}

export const WAITING = 0;
export const ADMITTED = 1;
/** For the one job that takes over from one that is about to be too old. */
export const RENEWED = 2;

const QUEUE = 'steps';
/** Seconds. */
const DAY = 86_400;
const QUEUE_OPTIONS = {
  // A step is tried as often as its holder dies; how often a run that failed is tried again is decided elsewhere.
  retryLimit: 1_000_000,
  // The shortest that pg-boss takes: so long after a kill -9 another one goes on.
  heartbeatSeconds: 10,
  // The longest that it takes; a step that lasts longer gets a new job in time.
  expireInSeconds: DAY,
  retentionSeconds: 365 * DAY,
  deleteAfterSeconds: 3600,
};

function claimOf({ id, retryCount }: Claim): Claim {
  return { id, retryCount };
}

/** pg-boss's type of the answer leaves out what its manual has: how many jobs it was true of. */
function affected(response: object): boolean {
  return (response as { affected: number }).affected === 1;
}

function adapted(session: Session) {
  return { executeSql: (text: string, values?: unknown[]) => session.execute(text, values) };
}
