import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Stops the servers whose data are below this directory: a demo that was killed leaves them behind. */
export async function stopLeftServers(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) await stopLeftServer(join(directory, name));
}

/**
 * The number in a postmaster.pid may be somebody else's by now, so the process itself has to say that it serves this
 * directory.
 */
async function stopLeftServer(dataDirectory: string): Promise<void> {
  const pid = await postmasterOf(dataDirectory);
  if (pid === undefined || !(await serves(pid, dataDirectory))) return;
  process.kill(pid, 'SIGQUIT');
  for (let waited = 0; waited < LONGEST_WAIT && (await serves(pid, dataDirectory)); waited += LOOK_EVERY) {
    await delay(LOOK_EVERY);
  }
}

async function postmasterOf(dataDirectory: string): Promise<number | undefined> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return pid > 1 ? pid : undefined;
}

async function serves(pid: number, dataDirectory: string): Promise<boolean> {
  const words = await commandLineOf(pid);
  return /postgres/.test(words) && words.includes(dataDirectory);
}

/** Empty when there is no such process. */
async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const { stdout } = await execute('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout;
}

/** Milliseconds. */
const LOOK_EVERY = 20;
const LONGEST_WAIT = 10_000;
