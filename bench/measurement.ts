import { spawn } from 'node:child_process';
import { access, readFile, rm } from 'node:fs/promises';
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

/** What a server was asked. */
export interface Traffic {
  /** How often, by the names of its operations. */
  readonly requests: Readonly<Record<string, number>>;
  /** In both directions. */
  readonly bytes: number;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Who runs it; we ourselves unless said. */
  readonly account?: Account;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
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
  return await startMeasured(command, scratch, signal).measured;
}

/** Several commands that do one work, one after the other. */
export async function measureAll(
  commands: readonly Command[],
  scratch: string,
  signal?: AbortSignal,
): Promise<Measurement> {
  let all: Measurement = { wallSeconds: 0, cpuSeconds: 0, peakBytes: 0 };
  for (const command of commands) {
    const one = await measure(command, scratch, signal);
    all = {
      wallSeconds: all.wallSeconds + one.wallSeconds,
      cpuSeconds: all.cpuSeconds + one.cpuSeconds,
      peakBytes: Math.max(all.peakBytes, one.peakBytes),
    };
  }
  return all;
}

/** A program that is under way. */
export interface Running {
  /** Its output so far. */
  output(): string;
  /** Ends it as Ctrl-C does; `ended` then resolves whatever its exit code is. */
  interrupt(): void;
  /** Resolves with its output, fails as `run` does. */
  readonly ended: Promise<string>;
}

export function startMeasured(
  command: Command,
  scratch: string,
  signal?: AbortSignal,
): Running & { readonly measured: Promise<Measurement> } {
  reports += 1;
  const report = path.join(scratch, `time-${reports}`);
  const started = performance.now();
  const args = ['--quiet', '--format', '%U %S %M', '--output', report, command.program, ...command.args];
  const running = start({ ...command, program: TIME, args }, signal);
  const measured = running.ended.then(async () => {
    const wallSeconds = (performance.now() - started) / 1000;
    const [user = 0, system = 0, kibibytes = 0] = (await readFile(report, 'utf8'))
      .trim()
      .split(' ')
      .map(Number);
    await rm(report);
    return { wallSeconds, cpuSeconds: user + system, peakBytes: kibibytes * 1024 };
  });
  return { ...running, measured };
}

let reports = 0;

/**
 * The output of a command that is not measured. When the signal aborts, the command is ended with all that it has
 * started, and the signal's reason thrown.
 */
export async function run(command: Command, signal?: AbortSignal): Promise<string> {
  return await start(command, signal).ended;
}

/** Like `run`, for what goes on until it is told to stop. */
export function start(command: Command, signal?: AbortSignal): Running {
  signal?.throwIfAborted();
  const child = spawn(command.program, command.args, {
    env: { ...process.env, ...command.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: Ctrl-C comes to us alone, and we end whatever `time` or a shell has started.
    detached: true,
    ...command.account,
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const text = () => Buffer.concat(output).toString();
  const { promise: closed, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject).on('close', resolve);
  let interrupted = false;
  const send = (how: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, how);
  };
  const end = () => send('SIGKILL');
  signal?.addEventListener('abort', end, { once: true });
  const ended = closed.then((code) => {
    signal?.removeEventListener('abort', end);
    signal?.throwIfAborted();
    if (code === 0 || interrupted) return text();
    throw new Failure(
      'internal',
      `${command.program} ${command.args.join(' ')} ended with ${code}:\n${text().slice(-2000)}`,
    );
  });
  // Who waits only later must not crash the process.
  ended.catch(() => undefined);
  return {
    output: text,
    interrupt: () => {
      interrupted = true;
      send('SIGINT');
    },
    ended,
  };
}
