import type { Clock } from '@holdfast/engine';
import type { JournalRequest, KeepJournal } from '../../cli/commands/postgres/journal.ts';
import type { JournalSummary } from '../../cli/render/journal.ts';
import type { RepositoryAccess } from '../../cli/repository-options.ts';
import { type Port, withClient } from './server.ts';

export interface JournalSetting {
  readonly keepJournal: KeepJournal;
  readonly access: RepositoryAccess;
  readonly port: Port;
  readonly spool: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Milliseconds: how much the repository alone may lack. */
export const JOURNAL_RPO = 2000;
/** What `synchronous_standby_names` names. */
export const JOURNAL_NAME = 'holdfast';

/** The command `holdfast postgres journal`, running beside everything else. */
export class RunningJournal implements AsyncDisposable {
  readonly #setting: JournalSetting;
  readonly #stopping = new AbortController();
  readonly #running: Promise<JournalSummary>;

  constructor(setting: JournalSetting) {
    this.#setting = setting;
    const signal = AbortSignal.any([setting.signal, this.#stopping.signal]);
    this.#running = setting.keepJournal(setting.access, requestOf(setting), {
      signal,
      progress: { watch: () => {}, note: () => {} },
    });
    // Whoever waits for the journal hears of a failure; until somebody does it is no news.
    this.#running.catch(() => undefined);
  }

  /** Resolves when no commit is confirmed any more that is not durable in the spool. */
  async untilSynchronous(): Promise<void> {
    const { port, clock, signal } = this.#setting;
    await withClient(port, signal, async (client) => {
      for (;;) {
        const { rows } = await client.query(
          `SELECT FROM pg_stat_replication WHERE application_name = '${JOURNAL_NAME}' AND sync_state = 'sync'`,
        );
        if (rows.length > 0) return;
        await Promise.race([clock.sleep(LOOK_EVERY, signal), this.#running]);
      }
    });
  }

  /** Milliseconds that the spool is behind the server, as the server has measured it. */
  async lag(): Promise<number> {
    const { port, signal } = this.#setting;
    return await withClient(port, signal, async (client) => {
      const { rows } = await client.query<{ lag: number | null }>(
        `SELECT (extract(epoch FROM flush_lag) * 1000)::float8 AS lag
         FROM pg_stat_replication WHERE application_name = '${JOURNAL_NAME}'`,
      );
      return rows[0]?.lag ?? 0;
    });
  }

  async stop(): Promise<JournalSummary> {
    this.#stopping.abort();
    return await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running.catch(() => undefined);
  }
}

/** What the spool holds is brought into the repository when the server is gone: `holdfast postgres journal --drain`. */
export async function drainSpool(setting: JournalSetting): Promise<JournalSummary> {
  const { keepJournal, access, signal } = setting;
  const work = { signal, progress: { watch: () => {}, note: () => {} } };
  return await keepJournal(access, { ...requestOf(setting), drain: true }, work);
}

function requestOf({ port, spool }: JournalSetting): JournalRequest {
  return {
    url: port.url,
    spool,
    rpo: JOURNAL_RPO,
    slot: 'holdfast',
    name: JOURNAL_NAME,
    // The story takes its base itself, where everybody sees it.
    baseAfterGap: false,
    checkpoint: 'fast',
  };
}

/** Milliseconds. */
const LOOK_EVERY = 10;
