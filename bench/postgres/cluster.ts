import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, chown, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { Failure } from '../../engine/src/kernel/failure.ts';
import { type Account, run } from '../measurement.ts';

export interface ClusterOptions {
  /** `postgres` and, for a new cluster, `initdb`: full paths. */
  readonly programs: { readonly server: string; readonly initdb: string };
  readonly dataDirectory: string;
  /** Of the socket; made if it is not there. */
  readonly socketDirectory: string;
  readonly account: Account | undefined;
  /** Further `-c` settings. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A server of our own on a unix socket. Everybody on the machine may connect: it holds pgbench's data. */
export class Cluster implements AsyncDisposable {
  readonly dataDirectory: string;
  /** What every client program of PostgreSQL, and Holdfast, takes its address from. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #process: ChildProcess;
  readonly #client: Client;

  private constructor(options: ClusterOptions, process: ChildProcess, client: Client) {
    this.dataDirectory = options.dataDirectory;
    this.environment = addressOf(options);
    this.#process = process;
    this.#client = client;
  }

  /** A new cluster with data checksums, as it comes otherwise. */
  static async create(options: ClusterOptions, signal: AbortSignal): Promise<void> {
    const { programs, dataDirectory, account } = options;
    const args = ['-D', dataDirectory, '-U', USER, '--data-checksums', '--encoding=UTF8', '--auth=trust'];
    await run({ program: programs.initdb, args, ...under(account) }, signal);
    const lines = Object.entries(SETTINGS).map(([name, value]) => `${name} = '${value}'`);
    await appendFile(path.join(dataDirectory, 'postgresql.conf'), `${lines.join('\n')}\n`);
  }

  /** Resolves when it takes connections; for a directory that recovers, when that is over. */
  static async start(options: ClusterOptions, signal: AbortSignal): Promise<Cluster> {
    const { programs, dataDirectory, socketDirectory, account, settings = {} } = options;
    await mkdir(socketDirectory, { recursive: true });
    if (account !== undefined) await chown(socketDirectory, account.uid, account.gid);
    const place = ['-D', dataDirectory, '-k', socketDirectory, '-p', PORT, '-h', ''];
    const further = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(programs.server, [...place, ...further], {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
      ...account,
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-20_000)));
    try {
      const client = await connect(options, child, () => said, signal);
      return new Cluster(options, child, client);
    } catch (error) {
      await end(child);
      throw error;
    }
  }

  async query<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#client.query<Row>(sql, [...values])).rows;
  }

  /** The one value of a query with one row and one column. */
  async value(sql: string, values: readonly unknown[] = []): Promise<unknown> {
    const [row] = await this.query<Record<string, unknown>>(sql, values);
    return row === undefined ? undefined : Object.values(row)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end().catch(() => undefined);
    await end(this.#process);
  }
}

const USER = 'postgres';
const PORT = '5433';

/** A server as one is run, with room for WAL, and ready for everything that is measured. */
const SETTINGS: Readonly<Record<string, string>> = {
  shared_buffers: '256MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '15min',
  wal_level: 'replica',
  max_wal_senders: '10',
  max_replication_slots: '10',
  // What archives is set when somebody archives.
  archive_mode: 'on',
  archive_command: '/bin/true',
};

function addressOf({ socketDirectory }: ClusterOptions): Record<string, string> {
  return {
    PGHOST: socketDirectory,
    PGPORT: PORT,
    PGUSER: USER,
    PGDATABASE: 'postgres',
    PGSSLMODE: 'disable',
  };
}

function under(account: Account | undefined) {
  return account === undefined ? {} : { account };
}

/** Tries until the server is there, has recovered and takes writes. */
async function connect(
  options: ClusterOptions,
  child: ChildProcess,
  said: () => string,
  signal: AbortSignal,
): Promise<Client> {
  for (;;) {
    signal.throwIfAborted();
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Failure('internal', `the server ended:\n${said().slice(-2000)}`);
    const client = new Client({
      host: options.socketDirectory,
      port: Number(PORT),
      user: USER,
      database: 'postgres',
    });
    // The server's end is no news to us.
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ recovering: boolean }>(
        'SELECT pg_is_in_recovery() AS recovering',
      );
      if (rows[0]?.recovering === false) return client;
      await client.end();
    } catch {
      // Not yet there, or still recovering: what goes wrong for good ends the server.
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  // What it holds is thrown away.
  child.kill('SIGQUIT');
  await promise;
}
