import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** A program that carries SFTP on its standard input and output: ssh, as a rule. */
export interface SshProcess {
  readonly input: Writable;
  readonly output: Readable;
  readonly ended: Promise<Ending>;
  kill(): void;
}

/** How it ended, and the last that it wrote to its standard error. */
export interface Ending {
  readonly program: string;
  readonly said: string;
  /** When it could not be started at all. */
  readonly error?: NodeJS.ErrnoException;
}

/** Starts a program; that it cannot be started is an ending, too. */
export function startSsh([program = 'ssh', ...args]: readonly string[]): SshProcess {
  // In a session of its own: Ctrl+C is for us alone, who still have a lock to give back. When we are killed, it reads
  // the end of its input and goes.
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, windowsHide: true });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-LONGEST_SAID);
  });
  // Writing to what has just ended: the ending says more than EPIPE.
  child.stdin.on('error', () => undefined);
  const ended = Promise.withResolvers<Ending>();
  child.once('error', (error: NodeJS.ErrnoException) => ended.resolve({ program, said, error }));
  child.once('exit', async () => {
    // A master connection that ssh leaves behind (ControlPersist) holds these open, so their end is not awaited for long.
    const streams = [child.stdout, child.stderr];
    const all = Promise.allSettled(streams.map((stream) => finished(stream)));
    await Promise.race([all, delay(LAST_WORDS_MS, undefined, { ref: false })]);
    for (const stream of streams) stream.destroy();
    ended.resolve({ program, said });
  });
  return {
    input: child.stdin,
    output: child.stdout,
    ended: ended.promise,
    kill: () => child.kill('SIGKILL'),
  };
}

const LONGEST_SAID = 8192;
const LAST_WORDS_MS = 300;
