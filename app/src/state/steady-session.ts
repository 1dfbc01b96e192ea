import type { Client, Notification } from 'pg';
import type { Watch } from './embedded/server.ts';
import { sessionOn } from './session.ts';

export interface Leadership extends AsyncDisposable {
  /** Aborted when the connection that holds it is lost: somebody else may lead from then on. */
  readonly signal: AbortSignal;
}

/**
 * One connection that stays: notices are heard on it, and leadership is held with it. When it breaks it is opened again;
 * what was told meanwhile is lost, so every listener is woken then.
 */
export class SteadySession implements AsyncDisposable {
  readonly #connect: () => Promise<Client>;
  readonly #watch: Watch;
  readonly #listeners = new Map<string, Set<() => void>>();
  #client: Client | undefined;
  #leading: AbortController | undefined;
  #closed = false;

  private constructor(connect: () => Promise<Client>, watch: Watch) {
    this.#connect = connect;
    this.#watch = watch;
  }

  /** On a connection that is there, and on new ones when it is lost. */
  static async open(client: Client, connect: () => Promise<Client>, watch: Watch): Promise<SteadySession> {
    const steady = new SteadySession(connect, watch);
    await steady.#use(client);
    return steady;
  }

  /** Calls `heard` at each notice on a channel, until disposed. */
  async listen(channel: string, heard: () => void): Promise<Disposable> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners);
    listeners.add(heard);
    const client = this.#client;
    // A connection that breaks just now is closed, and the next one listens to everything.
    if (listeners.size === 1) await client?.query(`LISTEN ${channel}`).catch(() => client.end());
    return { [Symbol.dispose]: () => void listeners.delete(heard) };
  }

  /** Undefined while another control plane leads. */
  async lead(): Promise<Leadership | undefined> {
    const client = this.#client;
    if (client === undefined || this.#leading !== undefined) return undefined;
    const [row] = await sessionOn(client).query<{ got: boolean }>(
      "SELECT pg_try_advisory_lock(hashtext('holdfast leader')) AS got",
    );
    if (row?.got !== true) return undefined;
    const leading = new AbortController();
    this.#leading = leading;
    return {
      signal: leading.signal,
      [Symbol.asyncDispose]: async () => {
        if (leading.signal.aborted) return;
        this.#leading = undefined;
        await client.query("SELECT pg_advisory_unlock(hashtext('holdfast leader'))").catch(() => undefined);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#client?.end().catch(() => undefined);
  }

  async #use(client: Client): Promise<void> {
    client.on('notification', ({ channel }: Notification) => this.#wake(channel));
    try {
      for (const channel of this.#listeners.keys()) await client.query(`LISTEN ${channel}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    if (this.#closed) return void client.end().catch(() => undefined);
    client.once('end', () => void this.#lost());
    this.#client = client;
    for (const channel of this.#listeners.keys()) this.#wake(channel);
  }

  /** What stays wrong is told to whoever asks next; here it is only tried again. */
  async #lost(): Promise<void> {
    this.#client = undefined;
    this.#leading?.abort();
    this.#leading = undefined;
    const { clock, signal } = this.#watch;
    while (!this.#closed && !signal.aborted) {
      try {
        await this.#use(await this.#connect());
        return;
      } catch {
        await clock.sleep(TRY_EVERY, signal).catch(() => undefined);
      }
    }
  }

  #wake(channel: string): void {
    for (const heard of this.#listeners.get(channel) ?? []) heard();
  }
}

/** Milliseconds. */
const TRY_EVERY = 1000;
