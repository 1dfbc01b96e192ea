import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { commandLineOf } from '../../sources/postgres/restore/postmaster.ts';
import { stopLeftServers } from '../postgres/left-server.ts';

/** In the state directory: who works there. */
export const PID_FILE = 'demo.pid';

/** Stops a control plane that a killed demo has left behind, and then the database that it would start again. */
export async function stopLeftControlPlane(stateDirectory: string): Promise<void> {
  const pid = Number(await readFile(join(stateDirectory, PID_FILE), 'utf8').catch(() => ''));
  const runs = async () => pid > 1 && (await commandLineOf(pid)).includes(stateDirectory);
  if (await runs()) process.kill(pid, 'SIGKILL');
  for (let waited = 0; waited < LONGEST_WAIT && (await runs()); waited += LOOK_EVERY) await delay(LOOK_EVERY);
  await stopLeftServers(join(stateDirectory, 'database'));
}

/** Milliseconds. */
const LOOK_EVERY = 20;
const LONGEST_WAIT = 10_000;
