import type { Client } from 'pg';
import { logIn } from '../connection/login.ts';
import { type ServerAddress, serverName } from '../connection/server-address.ts';
import { failureFrom } from '../connection/server-error.ts';

/**
 * A session for SQL that leaves nothing on the server: a statement that runs when the signal aborts is ended there, not
 * only here. A count does not notice that nobody waits for it any more.
 */
export class SqlSession implements AsyncDisposable {
  readonly #client: Client;
  readonly #address: ServerAddress;
  readonly #signal: AbortSignal;
  readonly #abort: () => void;
  #ending: Promise<void> | undefined;

  private constructor(client: Client, address: ServerAddress, pid: number, signal: AbortSignal) {
    this.#client = client;
    this.#address = address;
    this.#signal = signal;
    this.#abort = () => {
      this.#ending = endBackend(address, pid).finally(() => client.end().catch(() => undefined));
    };
    client.on('error', () => undefined);
    signal.addEventListener('abort', this.#abort, { once: true });
    if (signal.aborted) this.#abort();
  }

  static async open(address: ServerAddress, signal: AbortSignal): Promise<SqlSession> {
    const { client, host } = await logIn(address, 'sql', signal);
    const there = { ...address, hosts: [host] };
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return new SqlSession(client, there, rows[0]?.pid ?? 0, signal);
  }

  /** The one host that this session is with. */
  get address(): ServerAddress {
    return this.#address;
  }

  async query<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      return (await this.#client.query<Row>(sql, values.length === 0 ? undefined : [...values])).rows;
    } catch (error) {
      this.#signal.throwIfAborted();
      throw failureFrom(error, serverName(this.#address));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener('abort', this.#abort);
    await (this.#ending ?? this.#client.end().catch(() => undefined));
  }
}

/**
 * Writes a record of ours that means nothing to anybody, and makes the log durable up to it. Answers the number of the
 * transaction that did. With `page` the record is longer than a page of the log, so that a journal, whose reach is told in
 * whole pages, reaches beyond all that came before; and recovery, which stops before the first record at its target, finds
 * one, also on a server where nothing happens any more.
 */
export async function markLog(sql: SqlSession, length: 'short' | 'page'): Promise<bigint> {
  await sql.query('SET synchronous_commit = local');
  const [row] = await sql.query<{ xid: string }>(
    "SELECT txid_current()::text AS xid, pg_logical_emit_message(true, 'holdfast', repeat('-', $1::int))",
    [length === 'page' ? LOG_PAGE : 1],
  );
  return BigInt(row?.xid ?? 0);
}

/**
 * Ends a session of our own role, which every role may. A walsender that waits for other transactions, or a long count,
 * would otherwise go on after its connection is closed. That it is gone already, or that the server is, is as well.
 */
export async function endBackend(address: ServerAddress, pid: number): Promise<void> {
  try {
    const { client } = await logIn(address, 'sql', AbortSignal.timeout(PATIENCE));
    client.on('error', () => undefined);
    try {
      await client.query('SELECT pg_terminate_backend($1)', [pid]);
      const gone = 'SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1) AS gone';
      for (let asked = 0; asked < MOST_ASKED; asked += 1) {
        if ((await client.query<{ gone: boolean }>(gone, [pid])).rows[0]?.gone === true) return;
      }
    } finally {
      await client.end();
    }
  } catch {
    // Nobody is left to be asked.
  }
}

/** Bytes: wal_block_size, which only a server built from changed source has different. */
const LOG_PAGE = 8192;
/** Milliseconds. */
const PATIENCE = 5000;
/** Each is a way to the server and back. */
const MOST_ASKED = 1000;
