import { spawn } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '../engine/src/kernel/failure.ts';
import { installWithApt } from '../test/servers/apt.ts';

const TIME = '/usr/bin/time';

/** What one run of a whole program cost, its children included. */
export interface Measurement {
  readonly wallSeconds: number;
  /** In user and in system mode together. */
  readonly cpuSeconds: number;
  /** The resident set at its largest; of the largest process when there are several. */
  readonly peakBytes: number;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * GNU time is what tells the peak memory of a child that has ended; nothing in Node does. It is installed where that
 * is possible; `usage` where it is not.
 */
export async function requireTime(): Promise<void> {
  if (await isThere(TIME)) return;
  const missing = await installWithApt('time');
  if (missing === undefined && (await isThere(TIME))) return;
  throw new Failure('usage', `${TIME} is not there, and it is what measures CPU time and memory.`, {
    hint: `${missing?.unavailable ?? 'it was installed, but elsewhere'}`,
  });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** Runs a command to its end. Fails with `internal` and the end of its output when it does. */
export async function measure(command: Command, scratch: string, signal?: AbortSignal): Promise<Measurement> {
  const report = path.join(scratch, 'time');
  const started = performance.now();
  const args = ['--quiet', '--format', '%U %S %M', '--output', report, command.program, ...command.args];
  await run({ ...command, program: TIME, args }, signal);
  const wallSeconds = (performance.now() - started) / 1000;
  const [user = 0, system = 0, kibibytes = 0] = (await readFile(report, 'utf8'))
    .trim()
    .split(' ')
    .map(Number);
  return { wallSeconds, cpuSeconds: user + system, peakBytes: kibibytes * 1024 };
}

/**
 * The output of a command that is not measured. When the signal aborts, the command is ended with all that it has
 * started, and the signal's reason thrown.
 */
export async function run(command: Command, signal?: AbortSignal): Promise<string> {
  signal?.throwIfAborted();
  const child = spawn(command.program, command.args, {
    env: { ...process.env, ...command.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: Ctrl-C comes to us alone, and we end whatever `time` or a shell has started.
    detached: true,
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject).on('close', resolve);
  const end = () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  signal?.addEventListener('abort', end, { once: true });
  const code = await ended;
  signal?.removeEventListener('abort', end);
  signal?.throwIfAborted();
  const text = Buffer.concat(output).toString();
  if (code !== 0) {
    throw new Failure(
      'internal',
      `${command.program} ${command.args.join(' ')} ended with ${code}:\n${text.slice(-2000)}`,
    );
  }
  return text;
}
