import { spawn } from 'node:child_process';
import { chown, open, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@holdfast/engine';
import { readPostmaster, servesDirectory } from '../../sources/postgres/restore/postmaster.ts';
import { configure, makeCluster, ownPrograms, spawning } from './cluster.ts';
import { didNotStart, doesNotRun, isStillTaken } from './failures.ts';
import type { Place } from './place.ts';

export interface Watch {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Resolves when a server takes connections on our directory: the one that runs already, left by a control plane that was
 * killed or used by another one, else a new one. Whoever calls holds the lock of the state directory.
 */
export async function ensureServer(place: Place, watch: Watch): Promise<'adopted' | 'started'> {
  if (await adopt(place, watch)) return 'adopted';
  const programs = await ownPrograms(place);
  await makeCluster(place, programs, watch.signal);
  await configure(place);
  const patience = watch.clock.now() + LONGEST_TAKEN;
  for (;;) {
    const said = await launch(place, programs.bin, watch);
    if (said === undefined) return 'started';
    if (!isStillTaken(said) || watch.clock.now() > patience) throw didNotStart(said, place.dataDirectory);
    await watch.clock.sleep(LOOK_EVERY, watch.signal);
  }
}

/** As an administrator does: connections are cut, everything is written down. */
export async function stopServer({ dataDirectory }: Place, { clock, signal }: Watch): Promise<void> {
  const { pid } = await readPostmaster(dataDirectory);
  if (!(await servesDirectory(pid, dataDirectory))) return;
  process.kill(pid, 'SIGINT');
  while (await servesDirectory(pid, dataDirectory)) await clock.sleep(LOOK_EVERY, signal);
}

/** False where nobody serves the directory, or stops doing so while we wait. */
async function adopt({ dataDirectory }: Place, { clock, signal }: Watch): Promise<boolean> {
  for (;;) {
    const { pid, status } = await readPostmaster(dataDirectory);
    if (!(await servesDirectory(pid, dataDirectory))) return false;
    if (status === 'ready') return true;
    await clock.sleep(LOOK_EVERY, signal);
  }
}

/** Undefined when it is ready, else what it logged before it ended. */
async function launch(place: Place, bin: string, { clock, signal }: Watch): Promise<string | undefined> {
  const { dataDirectory, logFile } = place;
  await using log = await open(logFile, 'a+', 0o600);
  if (place.account !== undefined) await chown(logFile, place.account.uid, place.account.gid);
  if ((await stat(logFile)).size > LONGEST_LOG) await truncate(logFile);
  const { size } = await stat(logFile);
  const child = spawn(join(bin, 'postgres'), ['-D', dataDirectory], {
    ...spawning(place),
    // A file and a process group of its own: it must not die of our end, nor of a Ctrl-C that is meant for us.
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  let broken: unknown;
  child.once('error', (error) => {
    broken = error;
  });
  child.unref();
  for (;;) {
    signal.throwIfAborted();
    if (broken !== undefined) throw doesNotRun(broken, place.home);
    if (child.exitCode !== null || child.signalCode !== null) break;
    const { pid, status } = await readPostmaster(dataDirectory);
    if (pid === child.pid && status === 'ready') return undefined;
    await clock.sleep(LOOK_EVERY, signal);
  }
  const said = Buffer.alloc(Math.min((await stat(logFile)).size - size, LONGEST_LOG));
  await log.read(said, 0, said.length, size);
  return said.toString();
}

/** Milliseconds. */
const LOOK_EVERY = 10;
/** Milliseconds that processes of a killed server may take to notice. */
const LONGEST_TAKEN = 20_000;
/** Bytes. */
const LONGEST_LOG = 1 << 20;
