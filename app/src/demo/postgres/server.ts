import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { appendFile, chown, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Clock, Failure } from '@holdfast/engine';
import type { Client } from 'pg';
import { logIn } from '../../sources/postgres/connection/login.ts';
import { type ServerAddress, serverAddress } from '../../sources/postgres/connection/server-address.ts';
import { configurationLines } from '../../sources/postgres/restore/recovery-settings.ts';
import type { Account } from '../../sources/postgres/restore/service-account.ts';
import type { Installation } from './installation.ts';

const execute = promisify(execFile);

/**
 * Where servers are reached: a socket in a directory that only they and we may enter, since they ask nobody for a
 * password. Whichever server runs at the address is the shop's; it stays the same when a restored one takes over.
 */
export interface Port extends AsyncDisposable {
  readonly address: ServerAddress;
  /** The same for a command line. */
  readonly url: string;
}

const ROLE = 'shop';

export async function openPort(account: Account | undefined): Promise<Port> {
  // Not in the playground: a socket's whole name may have 107 characters.
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-demo-'));
  await give(directory, account);
  const where = { host: directory, port: '5432' };
  return {
    address: serverAddress({ ...where, user: ROLE, dbname: 'postgres', application_name: 'shop' }),
    url: `postgres://${ROLE}@/postgres?${new URLSearchParams(where)}`,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

export interface ServerOptions {
  readonly installation: Installation;
  readonly dataDirectory: string;
  readonly port: Port;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Makes the data directory of a new server. */
export async function makeCluster({ installation, dataDirectory, signal }: ServerOptions): Promise<void> {
  const { programs, account } = installation;
  await mkdir(dataDirectory, { mode: 0o700 });
  await give(dataDirectory, account);
  // The directory is new, and removed if this fails: nothing in it needs to be durable before the server runs.
  const args = ['-D', dataDirectory, '-U', ROLE, '--no-sync', '--encoding=UTF8', '--auth=trust'];
  const checksums = '--data-checksums';
  await execute(join(programs.bin, 'initdb'), [...args, checksums], { ...spawning(account), signal });
  const settings: [string, string][] = [
    ['listen_addresses', ''],
    ['max_slot_wal_keep_size', '1GB'],
  ];
  await appendFile(join(dataDirectory, 'postgresql.conf'), configurationLines(settings));
}

/** A server of the story. Disposing ends it at once, whatever state it is in. */
export class DemoServer implements AsyncDisposable {
  readonly dataDirectory: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  #said = '';

  private constructor(dataDirectory: string, child: ChildProcess) {
    this.dataDirectory = dataDirectory;
    this.#process = child;
    const exited = Promise.withResolvers<void>();
    child.once('exit', () => exited.resolve()).once('error', () => exited.resolve());
    this.#exited = exited.promise;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-MOST_SAID);
    });
  }

  /** Resolves when it takes connections. */
  static async start(options: ServerOptions): Promise<DemoServer> {
    const { installation, dataDirectory, port } = options;
    const [host] = port.address.hosts;
    const socket = ['-k', host?.name ?? '', '-p', String(host?.port)];
    const child = spawn(join(installation.programs.bin, 'postgres'), ['-D', dataDirectory, ...socket], {
      ...spawning(installation.account),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const server = new DemoServer(dataDirectory, child);
    try {
      await server.#untilReady(options);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** As an administrator does: connections are cut, everything is written down. */
  async stop(): Promise<void> {
    await this.#end('SIGINT');
  }

  /** As a power cut does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGQUIT');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#process.pid === undefined) return;
    this.#process.kill(signal);
    await this.#exited;
  }

  /** It writes its state into the eighth line of postmaster.pid, for pg_ctl. */
  async #untilReady({ clock, signal }: ServerOptions): Promise<void> {
    for (;;) {
      if (this.#process.exitCode !== null || this.#process.pid === undefined) throw this.#notStarted();
      const state = await readFile(join(this.dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
      if (state.split('\n')[7]?.trim() === 'ready') return;
      await clock.sleep(LOOK_EVERY, signal);
    }
  }

  #notStarted(): Failure {
    const said = this.#said.trimEnd();
    return new Failure('internal', 'the server of the demo did not start', {
      subject: this.dataDirectory,
      hint: `The last that it said:\n${said === '' ? 'nothing' : said}`,
    });
  }
}

/** Does `work` on a connection of its own. */
export async function withClient<Result>(
  { address }: Pick<Port, 'address'>,
  signal: AbortSignal,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { client } = await logIn(address, 'sql', signal);
  // A connection that breaks between two queries fails the next one.
  client.on('error', () => undefined);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function give(directory: string, account: Account | undefined): Promise<void> {
  if (account !== undefined) await chown(directory, account.uid, account.gid);
}

function spawning(account: Account | undefined) {
  return { cwd: '/', env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }, ...account };
}

/** Milliseconds. */
const LOOK_EVERY = 10;
/** Characters. */
const MOST_SAID = 4000;
