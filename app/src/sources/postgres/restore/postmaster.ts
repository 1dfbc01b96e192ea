import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** What a server writes about itself into the `postmaster.pid` of its data directory, for pg_ctl. */
export interface Postmaster {
  /** NaN where there is no such file. */
  readonly pid: number;
  readonly socketDirectory: string;
  /** `ready` as soon as it takes connections. */
  readonly status: string;
}

/** Its first, fifth and eighth line. */
export async function readPostmaster(dataDirectory: string): Promise<Postmaster> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = lines[0] === '' ? Number.NaN : Number(lines[0]);
  return { pid, socketDirectory: lines[4] ?? '', status: lines[7]?.trim() ?? '' };
}

/**
 * The number in a postmaster.pid may be somebody else's by now, so the process itself has to say that it serves this
 * directory.
 */
export async function servesDirectory(pid: number, dataDirectory: string): Promise<boolean> {
  if (!(pid > 1)) return false;
  const words = await commandLineOf(pid);
  return /postgres/.test(words) && words.includes(dataDirectory);
}

/** Empty when there is no such process. */
export async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const { stdout } = await execute('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout;
}
