import { isFailure } from '@holdfast/engine';
import type { Client } from 'pg';
import { logIn } from '../sources/postgres/connection/login.ts';
import type { ServerAddress } from '../sources/postgres/connection/server-address.ts';
import type { Watch } from './embedded/server.ts';
import { type Database, type Session, sessionOn, type Transaction } from './session.ts';
import { stateFailure } from './state-failure.ts';

export interface ConnectionOptions extends Watch {
  readonly address: ServerAddress;
  /** Brings a server of ours back that is gone; resolves when it may be asked again. */
  readonly revive: () => Promise<void>;
}

/**
 * A few connections, opened as they are needed. While the server is away, who asks for one waits for a while; a statement
 * that was on its way is never sent again: nobody knows whether it was done.
 */
export class Connections implements Database, AsyncDisposable {
  readonly #options: ConnectionOptions;
  readonly #idle: Client[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #open = new Set<Client>();
  #taken = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  async query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    return await this.#with((session) => session.query<Row>(text, values));
  }

  async execute(text: string, values?: readonly unknown[]) {
    return await this.#with((session) => session.execute(text, values));
  }

  async transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return await this.#with(async (session) => {
      await session.execute('BEGIN');
      try {
        const result = await work({ ...session, transaction: 'begun' });
        await session.execute('COMMIT');
        return result;
      } catch (error) {
        await session.execute('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  /** A connection for whoever needs one for long; it does not count among those that are shared. */
  async connect(revive = this.#options.revive): Promise<Client> {
    const { address, clock, signal } = this.#options;
    const patience = clock.now() + LONGEST_AWAY;
    for (;;) {
      try {
        const { client } = await logIn(address, 'sql', signal);
        // A connection that breaks between two statements fails the next one.
        client.on('error', () => undefined);
        return client;
      } catch (error) {
        signal.throwIfAborted();
        const failure = stateFailure(error);
        if (failure.code !== 'state.unavailable' || clock.now() >= patience) throw failure;
        await revive();
        await clock.sleep(TRY_EVERY, signal);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open].map((client) => client.end().catch(() => undefined)));
  }

  async #with<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    while (this.#taken >= MOST) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken += 1;
    let client: Client | undefined;
    try {
      client = this.#idle.pop() ?? (await this.#openOne());
      return await work(sessionOn(client));
    } catch (error) {
      // At once, not when its socket says that it ended: whoever tries again without a pause would get it again.
      if (client !== undefined && isFailure(error, 'state.unavailable')) this.#open.delete(client);
      throw error;
    } finally {
      this.#taken -= 1;
      if (client !== undefined) this.#give(client);
      this.#waiting.shift()?.();
    }
  }

  async #openOne(): Promise<Client> {
    const client = await this.connect();
    this.#open.add(client);
    client.once('end', () => {
      this.#open.delete(client);
      const at = this.#idle.indexOf(client);
      if (at !== -1) this.#idle.splice(at, 1);
    });
    return client;
  }

  /** Two stay: each is a process of the server. */
  #give(client: Client): void {
    if (this.#open.has(client) && this.#idle.length < MOST_IDLE) this.#idle.push(client);
    else void client.end().catch(() => undefined);
  }
}

const MOST = 6;
const MOST_IDLE = 2;
/** Milliseconds. */
const TRY_EVERY = 50;
const LONGEST_AWAY = 60_000;
