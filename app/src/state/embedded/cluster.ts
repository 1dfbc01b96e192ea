import { execFile } from 'node:child_process';
import { chown, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Failure } from '@holdfast/engine';
import { embeddedPrograms, type Programs } from '../../sources/postgres/restore/programs.ts';
import { configurationLines } from '../../sources/postgres/restore/recovery-settings.ts';
import { doesNotRun } from './failures.ts';
import type { Place } from './place.ts';

const execute = promisify(execFile);

export const ROLE = 'holdfast';
/** Part of the socket's file name and nothing else: the server does not listen on the network. */
export const PORT = 5432;
/** What comes with Holdfast. A data directory belongs to one major version. */
const MAJOR = 18;

/** The programs, copied into the state directory: what lies in a directory for temporary files goes one day. */
export async function ownPrograms({ stateDirectory }: Place): Promise<Programs> {
  const programs = await embeddedPrograms(MAJOR, stateDirectory);
  if (programs !== undefined) return programs;
  throw new Failure('state.unsupported', `PostgreSQL ${MAJOR} does not come with Holdfast on this system`, {
    hint: 'Set DATABASE_URL to a PostgreSQL server that Holdfast may keep its state in.',
  });
}

/** Makes the data directory unless there is one. Cut off at any moment, the next call begins again. */
export async function makeCluster(place: Place, programs: Programs, signal: AbortSignal): Promise<void> {
  const { dataDirectory, home, account, password } = place;
  const version = await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version !== undefined) return assertMajor(Number(version.trim()), dataDirectory);
  const unfinished = join(home, 'data.unfinished');
  const passwordFile = join(home, 'password.once');
  await rm(unfinished, { recursive: true, force: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account !== undefined) await chown(passwordFile, account.uid, account.gid);
  try {
    const args = ['-D', unfinished, '-U', ROLE, '--encoding=UTF8', '--no-locale', '--wal-segsize=4'];
    const login = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    await execute(join(programs.bin, 'initdb'), [...args, ...login], { ...spawning(place), signal });
  } catch (error) {
    signal.throwIfAborted();
    throw doesNotRun(error, home);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(unfinished, dataDirectory);
}

/** All of the configuration is ours and written at each start, so that a new version of Holdfast brings its own. */
export async function configure({ dataDirectory, home, account }: Place): Promise<void> {
  const files = {
    'postgresql.conf': configurationLines(Object.entries({ ...SETTINGS, unix_socket_directories: home })),
    'pg_hba.conf': 'local all all scram-sha-256\n',
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(dataDirectory, name);
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    if (account !== undefined) await chown(`${path}.new`, account.uid, account.gid);
    await rename(`${path}.new`, path);
  }
}

export function spawning({ account }: Place) {
  return { cwd: '/', env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }, ...account };
}

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: String(PORT),
  unix_socket_permissions: '0700',
  cluster_name: 'holdfast',
  // What a commit says is on the disk: power may go at any moment.
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  // Small: it holds a few hundred megabytes at most, and sleeps most of the time.
  max_connections: '30',
  shared_buffers: '16MB',
  jit: 'off',
  huge_pages: 'off',
  io_method: 'sync',
  max_worker_processes: '2',
  max_parallel_workers_per_gather: '0',
  max_logical_replication_workers: '0',
  autovacuum_max_workers: '1',
  autovacuum_worker_slots: '1',
  autovacuum_naptime: '5min',
  bgwriter_delay: '10s',
  bgwriter_lru_maxpages: '0',
  wal_writer_delay: '10s',
  checkpoint_timeout: '15min',
  // Nobody streams from it.
  wal_level: 'minimal',
  max_wal_senders: '0',
  min_wal_size: '16MB',
  max_wal_size: '128MB',
  // Statements hold what people write; the log says when it stopped and why, each line with its SQLSTATE.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
  log_line_prefix: '%m %e ',
  log_timezone: 'UTC',
  timezone: 'UTC',
  lc_messages: 'C',
};

function assertMajor(major: number, dataDirectory: string): void {
  if (major === MAJOR) return;
  throw new Failure(
    'state.version',
    `the state was written by PostgreSQL ${major}, and this Holdfast brings PostgreSQL ${MAJOR}`,
    {
      subject: dataDirectory,
      hint:
        'Move that directory aside and start again: a new one is made, and "holdfast catalog rebuild" fills it from ' +
        'the repositories. The version of Holdfast that wrote it still opens it.',
    },
  );
}
