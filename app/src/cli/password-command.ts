import { execFile } from 'node:child_process';
import { Failure } from '@holdfast/engine';
import { splitCommand } from './command-words.ts';
import type { Output } from './context.ts';
import { Secret } from './secret.ts';

export interface PasswordCommandOptions {
  /** Where the command's own words go, so that a person sees why it failed or what it waits for. */
  readonly stderr: Output;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly limit?: number;
}

/** Long enough to type the passphrase of a key ring, short enough that a nightly run does not hang until morning. */
const LIMIT = 2 * 60_000;

/** What the command prints, without white space around it, as restic takes it. */
export function runPasswordCommand(command: string, options: PasswordCommandOptions): Promise<Secret> {
  const [program = '', ...words] = splitCommand(command);
  const limit = options.limit ?? LIMIT;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      words,
      { timeout: limit, signal: options.signal, encoding: 'utf8' },
      (error, stdout) => {
        if (error === null) resolve(new Secret(stdout.trim()));
        else if (options.signal.aborted) reject(options.signal.reason);
        else reject(commandFailure(program, error, limit));
      },
    );
    // It may ask nobody through us: a command that waits for input would wait for ever.
    child.stdin?.end();
    child.stderr?.on('data', (text: string) => options.stderr.write(text));
  });
}

/** The error itself is no cause of the failure: its message repeats the whole command, which may hold a secret. */
function commandFailure(
  program: string,
  error: Error & { code?: unknown; killed?: boolean },
  limit: number,
): Failure {
  const reason =
    error.killed === true
      ? `it did not end within ${limit / 1000} s`
      : error.code === 'ENOENT'
        ? 'there is no such program'
        : `it ended with ${String(error.code)}`;
  return new Failure('usage', `the password command failed: ${reason}`, {
    subject: program,
    hint: 'Does it print the password when you run it in a shell as this user?',
  });
}
