import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '@holdfast/engine';
import type { Account } from '../../sources/postgres/restore/service-account.ts';
import { type Playground, preparePlayground } from '../playground.ts';

/**
 * Where the servers' data and the control plane's memory go: into the playground, or, when their user may not enter it (root's
 * home is closed) or its name is too long for a socket in it, into one of their own below the system's directory for temporary
 * files. They go when it is disposed of: nothing needs them then.
 */
export async function prepareServers(
  playground: Playground,
  account: Account | undefined,
): Promise<Playground & AsyncDisposable> {
  const closed = account !== undefined && !(await isOpen(playground.directory));
  const elsewhere = closed || Buffer.byteLength(playground.place('state')) > LONGEST_STATE;
  const servers = elsewhere ? await preparePlayground(await placeFor(playground)) : playground;
  await mkdir(servers.place('servers'), { mode: 0o755 });
  // Whatever the umask says: their user is somebody else.
  if (account !== undefined) await chmod(servers.place('servers'), 0o755);
  return {
    ...servers,
    [Symbol.asyncDispose]: async () => {
      await servers.clear('servers');
      await servers.clear('state');
      await playground.clear('offsite-then');
      if (elsewhere) await rm(servers.directory, { recursive: true });
    },
  };
}

/** Its own for each playground: so a next run finds what a killed one has left. */
async function placeFor({ directory }: Playground): Promise<string> {
  const name = createHash('sha256').update(resolve(directory)).digest('hex').slice(0, 8);
  return join(await ownDirectory(), `demo-${name}`);
}

/** Whether everybody may pass through it and all that is above it. */
async function isOpen(directory: string): Promise<boolean> {
  const { mode } = await stat(directory);
  if ((mode & 0o001) === 0) return false;
  return directory === dirname(directory) || (await isOpen(dirname(directory)));
}

/** Where anybody may make anything, a name proves nothing: it has to be a directory of ours. */
async function ownDirectory(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const directory = join(tmpdir(), `holdfast-${uid}`);
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const found = await lstat(directory);
  if (found.isDirectory() && found.uid === uid) return directory;
  throw new Failure('target.unsafe', `${directory} belongs to somebody else: the demo does not play there`, {
    subject: directory,
    hint: 'Name a directory that everybody may enter with --directory.',
  });
}

/** Bytes: the kernel keeps the name of a socket in 108, and the one of the control plane's database is below it. */
const LONGEST_STATE = 75;
