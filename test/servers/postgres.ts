import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { appendFile, chmod, chown, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import {
  embeddedPrograms,
  findPrograms,
  type Programs,
} from '../../app/src/sources/postgres/restore/programs.ts';
import { freePort } from './free-port.ts';

const execute = promisify(execFile);

/**
 * The versions that the suites run on: from npm, so that nothing has to be installed. There are packages for x64 alone among
 * this project's dependencies (58 MB each); elsewhere the system's own are used.
 */
export const majors = [14, 15, 16, 17, 18] as const;
export type Major = (typeof majors)[number];
export type Version = Major | Programs;

export interface PostgresOptions {
  /** Or the programs themselves, for versions that are no dependency of this project. */
  readonly major: Version;
  /** Lines of postgresql.conf; replication is possible unless said otherwise. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly checksums?: boolean;
  /** Instead of a new cluster: this data directory as it is. */
  readonly dataDirectory?: string;
  /** Lines put before the default ones, which let everybody in. */
  readonly hostBasedAuthentication?: readonly string[];
  /** As Debian has it: the configuration lies in a directory of its own, `configurationDirectory`. */
  readonly configurationOutside?: true;
  /** Files in PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly authority?: string };
}

export interface RunningPostgres extends AsyncDisposable {
  /** Of the superuser, over TCP. */
  readonly url: string;
  readonly port: number;
  readonly socketDirectory: string;
  readonly dataDirectory: string;
  /** Where postgresql.conf and pg_hba.conf lie. */
  readonly configurationDirectory: string;
  query<Row extends object = Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
  stop(mode?: 'smart' | 'fast' | 'immediate'): Promise<void>;
  /** As the kernel would: no last words. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** What it has said on standard error so far. */
  log(): string;
}

/** Starts a server in a directory of its own; disposing stops it and removes the directory. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { major } = options;
  const programs =
    typeof major === 'number' ? ((await embeddedPrograms(major)) ?? (await findPrograms(major))) : major;
  const account = serviceAccount();
  const home = await mkdtemp(path.join(tmpdir(), 'holdfast-pg-'));
  if (account !== undefined) await chown(home, account.uid, account.gid);
  const dataDirectory = options.dataDirectory ?? path.join(home, 'data');
  const spawned = { cwd: '/', env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }, ...account };
  const port = await freePort();
  if (options.dataDirectory === undefined) {
    const checksums = options.checksums === false ? [] : ['--data-checksums'];
    const initdb = ['-D', dataDirectory, '-U', 'postgres', '--no-sync', '--encoding=UTF8', '--auth=trust'];
    await execute(path.join(programs.bin, 'initdb'), [...initdb, ...checksums], spawned);
    await configure(dataDirectory, { ...options, settings: { ...DEFAULTS, ...options.settings } }, account);
  }
  const configurationDirectory = options.configurationOutside ? path.join(home, 'etc') : dataDirectory;
  if (options.configurationOutside) {
    await mkdir(configurationDirectory, { mode: 0o755 });
    for (const { file } of CONFIGURATION) {
      await rename(path.join(dataDirectory, file), path.join(configurationDirectory, file));
    }
  }
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let child: ChildProcess | undefined;
  let said = '';

  const start = async () => {
    const place = ['-D', dataDirectory, '-p', String(port), '-k', home, '-h', '127.0.0.1'];
    if (options.configurationOutside) {
      for (const { setting, file } of CONFIGURATION) {
        place.push('-c', `${setting}=${path.join(configurationDirectory, file)}`);
      }
    }
    const stdio = ['ignore', 'ignore', 'pipe'] as const;
    const started = spawn(path.join(programs.bin, 'postgres'), place, { ...spawned, stdio: [...stdio] });
    child = started;
    const ready = Promise.withResolvers<void>();
    started.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      // Told by the postmaster in the language of LC_ALL=C, and only when connections are taken.
      if (text.includes('ready to accept')) ready.resolve();
    });
    started.once('exit', (code) => ready.reject(new Error(`postgres ended with ${code}:\n${said}`)));
    await ready.promise;
  };
  const end = async (signal: NodeJS.Signals) => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    running.once('exit', () => resolve());
    // The whole group of a SIGKILLed postmaster notices by itself and ends: its children watch it.
    running.kill(signal);
    await promise;
  };

  await start();
  return {
    url,
    port,
    socketDirectory: home,
    dataDirectory,
    configurationDirectory,
    start,
    query: (sql, values) => queryOnce(url, sql, values),
    stop: (mode = 'fast') => end(STOPS[mode]),
    kill: () => end('SIGKILL'),
    log: () => said,
    async [Symbol.asyncDispose]() {
      await end('SIGQUIT');
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** `fsync` is off unless a test asks for it: a test machine that loses power runs its tests again. */
const DEFAULTS: Readonly<Record<string, string>> = {
  fsync: 'off',
  wal_level: 'replica',
  max_wal_senders: '10',
  shared_buffers: '32MB',
  log_min_messages: 'warning',
};

const CONFIGURATION = [
  { setting: 'config_file', file: 'postgresql.conf' },
  { setting: 'hba_file', file: 'pg_hba.conf' },
  { setting: 'ident_file', file: 'pg_ident.conf' },
] as const;

const STOPS = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** PostgreSQL refuses to run as root: `nobody` does it then. */
function serviceAccount(): { uid: number; gid: number } | undefined {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
}

async function configure(
  dataDirectory: string,
  { settings = {}, hostBasedAuthentication = [], tls }: PostgresOptions,
  account: { uid: number; gid: number } | undefined,
): Promise<void> {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  if (tls !== undefined) {
    lines.push('ssl = on', `ssl_cert_file = '${tls.certificate}'`, `ssl_key_file = '${tls.key}'`);
    if (tls.authority !== undefined) lines.push(`ssl_ca_file = '${tls.authority}'`);
    if (account !== undefined) await chown(tls.key, account.uid, account.gid);
    await chmod(tls.key, 0o600);
  }
  await appendFile(path.join(dataDirectory, 'postgresql.conf'), `${lines.join('\n')}\n`);
  if (hostBasedAuthentication.length === 0) return;
  const file = path.join(dataDirectory, 'pg_hba.conf');
  const before = await readFile(file, 'utf8');
  await rm(file);
  await appendFile(file, `${hostBasedAuthentication.join('\n')}\n${before}`);
  if (account !== undefined) await chown(file, account.uid, account.gid);
}

async function queryOnce<Row extends object>(
  url: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query<Row>(sql, values.length === 0 ? undefined : [...values]);
    return result.rows;
  } finally {
    await client.end();
  }
}
