import { execFile } from 'node:child_process';
import { readdir, readFile, rmdir } from 'node:fs/promises';
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
  const { pid, socketDirectory } = await postmasterOf(dataDirectory);
  if (!(pid > 1) || !(await serves(pid, dataDirectory))) return;
  process.kill(pid, 'SIGQUIT');
  for (let waited = 0; waited < LONGEST_WAIT && (await serves(pid, dataDirectory)); waited += LOOK_EVERY) {
    await delay(LOOK_EVERY);
  }
  // Only when nothing is in it any more.
  await rmdir(socketDirectory).catch(() => undefined);
}

/** What the server says of itself: its first and its fifth line. */
async function postmasterOf(dataDirectory: string): Promise<{ pid: number; socketDirectory: string }> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  return { pid: Number(lines[0]), socketDirectory: lines[4] ?? '' };
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
