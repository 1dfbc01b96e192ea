import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readPostmaster, servesDirectory } from '../../sources/postgres/restore/postmaster.ts';

/** Stops the servers whose data are below this directory: a demo that was killed leaves them behind. */
export async function stopLeftServers(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) await stopLeftServer(join(directory, name));
}

async function stopLeftServer(dataDirectory: string): Promise<void> {
  const { pid, socketDirectory } = await readPostmaster(dataDirectory);
  if (!(await servesDirectory(pid, dataDirectory))) return;
  process.kill(pid, 'SIGQUIT');
  for (
    let waited = 0;
    waited < LONGEST_WAIT && (await servesDirectory(pid, dataDirectory));
    waited += LOOK_EVERY
  ) {
    await delay(LOOK_EVERY);
  }
  // Only when nothing is in it any more.
  await rmdir(socketDirectory).catch(() => undefined);
}

/** Milliseconds. */
const LOOK_EVERY = 20;
const LONGEST_WAIT = 10_000;
