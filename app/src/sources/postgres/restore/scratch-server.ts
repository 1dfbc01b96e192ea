import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Clock, Failure } from '@holdfast/engine';
import type { BaseRecord } from '../base/base-record.ts';
import { logIn } from '../connection/login.ts';
import { type ServerAddress, serverAddress } from '../connection/server-address.ts';
import { preloadedLibraries } from './preloaded-libraries.ts';
import type { Programs } from './programs.ts';
import { configurationLines } from './recovery-settings.ts';

export interface ScratchOptions {
  readonly programs: Programs;
  readonly dataDirectory: string;
  readonly record: Pick<BaseRecord, 'settings' | 'major' | 'role' | 'resourceManagers'>;
  /** The data is thrown away afterwards: nothing of it is forced to the disk, and nothing tidied up. */
  readonly disposable?: boolean;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

export interface ScratchServer extends AsyncDisposable {
  /** Over a socket in a directory that only its user may enter. */
  readonly address: ServerAddress;
  /** Libraries that the original server had loaded and this one has not. */
  readonly leftOut: readonly string[];
  stop(): Promise<void>;
}

/**
 * Starts a server on restored data for nobody but us: on a private socket, not on the network, archiving nothing and
 * replicating to nobody, whatever its own configuration says. Resolves when it takes writes, or when its recovery is
 * paused at the target. As root it runs as the owner of the data.
 */
export async function startScratchServer(options: ScratchOptions): Promise<ScratchServer> {
  const { programs, dataDirectory, record } = options;
  if (programs.major !== record.major) {
    throw new Failure(
      'source.unsupported',
      `PostgreSQL ${programs.major} cannot start data of ${record.major}`,
      {
        hint: `Install PostgreSQL ${record.major}: a data directory belongs to one major version.`,
      },
    );
  }
  const account = await accountFor(dataDirectory);
  const home = await mkdtemp(path.join(tmpdir(), 'holdfast-scratch-'));
  try {
    await writeConfiguration(home, record);
    if (account !== undefined) {
      for (const name of ['', ...FILES]) await chown(path.join(home, name), account.uid, account.gid);
    }
    const { loaded, leftOut } = await preloadedLibraries(record, programs);
    const server = launch(
      options,
      { ...fixedSettings(home, options.disposable ?? false), shared_preload_libraries: listOf(loaded) },
      account,
    );
    await untilReady(server, options);
    const stop = async () => {
      await server.end();
      await rm(home, { recursive: true, force: true });
    };
    try {
      const address = await superuserAddress(home, record.role);
      await untilRecovered(address, server, options);
      return { address, leftOut, stop, [Symbol.asyncDispose]: stop };
    } catch (error) {
      await server.end();
      throw error;
    }
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

/** Part of the socket's file name and nothing else: the server does not listen on the network. */
const PORT = 5432;
const FILES = ['postgresql.conf', 'pg_hba.conf', 'pg_ident.conf'];

/** Clusters call their first role as they like, but its oid is always 10 (pg_authid.dat). */
async function superuserAddress(home: string, role: string): Promise<ServerAddress> {
  const at = (user: string) => serverAddress({ host: home, port: String(PORT), user, dbname: 'postgres' });
  const { client } = await logIn(at(role), 'sql');
  try {
    const { rows } = await client.query<{ name: string }>(
      'SELECT rolname AS name FROM pg_roles WHERE oid = 10',
    );
    return at(rows[0]?.name ?? role);
  } finally {
    await client.end();
  }
}

/** A server in recovery refuses to be smaller than the one whose WAL it reads. */
const AT_LEAST = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
];

async function writeConfiguration(home: string, { settings }: ScratchOptions['record']): Promise<void> {
  const recorded = AT_LEAST.flatMap((name) =>
    settings[name] === undefined ? [] : [[name, settings[name]] as const],
  );
  const lines = configurationLines([
    ...recorded,
    ['hba_file', path.join(home, 'pg_hba.conf')],
    ['ident_file', path.join(home, 'pg_ident.conf')],
    ['shared_buffers', '128MB'],
    ['dynamic_shared_memory_type', 'posix'],
    ['hot_standby', 'on'],
    // WAL of a server that keeps more must still be understood by this one.
    ['wal_level', settings['wal_level'] ?? 'replica'],
  ]);
  await writeFile(path.join(home, 'postgresql.conf'), lines, { mode: 0o600 });
  await writeFile(path.join(home, 'pg_hba.conf'), 'local all all trust\n', { mode: 0o600 });
  await writeFile(path.join(home, 'pg_ident.conf'), '', { mode: 0o600 });
}

/** Given on the command line, since these must also win over what ALTER SYSTEM wrote into the data directory. */
function fixedSettings(home: string, disposable: boolean): Record<string, string> {
  return {
    listen_addresses: '',
    port: String(PORT),
    unix_socket_directories: home,
    config_file: path.join(home, 'postgresql.conf'),
    archive_mode: 'off',
    ssl: 'off',
    primary_conninfo: '',
    synchronous_standby_names: '',
    // Its subscriptions would go to their publishers, and take the original's slots over.
    max_logical_replication_workers: '0',
    external_pid_file: '',
    logging_collector: 'off',
    log_destination: 'stderr',
    huge_pages: 'off',
    ...(disposable ? { fsync: 'off', full_page_writes: 'off', autovacuum: 'off' } : {}),
  };
}

/** Names that hold a comma or a space are quoted, as the server wants its lists. */
function listOf(libraries: readonly string[]): string {
  return libraries.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ');
}

interface Launched {
  readonly process: ChildProcess;
  /** The last that it said. */
  said(): string;
  readonly exited: Promise<void>;
  end(): Promise<void>;
}

function launch(
  { programs, dataDirectory }: ScratchOptions,
  settings: Readonly<Record<string, string>>,
  account: { uid: number; gid: number } | undefined,
): Launched {
  const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(path.join(programs.bin, 'postgres'), ['-D', dataDirectory, ...words], {
    cwd: '/',
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...account,
  });
  const exited = Promise.withResolvers<void>();
  child.once('exit', () => exited.resolve()).once('error', () => exited.resolve());
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-MOST_SAID);
  });
  return {
    process: child,
    said: () => said,
    exited: exited.promise,
    end: async () => {
      child.kill('SIGINT');
      await exited.promise;
    },
  };
}

/**
 * The server writes its state into the eighth line of postmaster.pid, for pg_ctl: `ready` as soon as it can be read.
 */
async function untilReady(server: Launched, { dataDirectory, clock, signal }: ScratchOptions): Promise<void> {
  try {
    for (;;) {
      signal?.throwIfAborted();
      if (server.process.exitCode !== null || server.process.pid === undefined)
        throw notStarted(server, dataDirectory);
      const lines = await readFile(path.join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
      if (lines.split('\n')[7]?.trim() === 'ready') return;
      await clock.sleep(LOOK_EVERY, signal);
    }
  } catch (error) {
    await server.end();
    throw error;
  }
}

/** A server that can be read may still be replaying WAL. It ends by itself when it cannot reach its target. */
async function untilRecovered(
  address: ServerAddress,
  server: Launched,
  options: ScratchOptions,
): Promise<void> {
  const { clock, signal, dataDirectory } = options;
  const { client } = await logIn(address, 'sql', signal);
  client.on('error', () => undefined);
  try {
    for (;;) {
      const { rows } = await client.query<{ done: boolean }>(
        'SELECT CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE true END AS done',
      );
      if (rows[0]?.done === true) return;
      await clock.sleep(LOOK_EVERY, signal);
    }
  } catch (error) {
    signal?.throwIfAborted();
    await server.exited;
    throw notStarted(server, dataDirectory, error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function notStarted(server: Launched, dataDirectory: string, cause?: unknown): Failure {
  const lines = server.said().trimEnd().split('\n');
  const reason = lines.findLast((line) => /FATAL|PANIC/.test(line)) ?? lines.at(-1);
  return new Failure('target.write', `the restored server did not start: ${reason || 'it gave no reason'}`, {
    subject: dataDirectory,
    hint: `The last that it said:\n${server.said().trimEnd()}`,
    cause,
  });
}

/** PostgreSQL refuses to run as root. */
async function accountFor(dataDirectory: string): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = await stat(dataDirectory);
  if (uid !== 0) return { uid, gid };
  throw new Failure('target.unsafe', `${dataDirectory} belongs to root, as whom PostgreSQL does not run`, {
    subject: dataDirectory,
    hint: 'Restore it with --owner, or give it to a user with chown -R.',
  });
}

/** Milliseconds. */
const LOOK_EVERY = 10;
/** Characters. */
const MOST_SAID = 4000;
