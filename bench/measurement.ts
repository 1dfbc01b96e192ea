import { spawn } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '../engine/src/kernel/failure.ts';

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

/** GNU time is what tells the peak memory of a child that has ended; nothing in Node does. */
export async function requireTime(): Promise<void> {
  try {
    await access(TIME);
  } catch (cause) {
    throw new Failure('usage', `${TIME} is not installed; it measures CPU time and memory.`, {
      hint: 'apt-get install time',
      cause,
    });
  }
}

/** Runs a command to its end. Fails with `internal` and the end of its output when it does. */
export async function measure(command: Command, scratch: string): Promise<Measurement> {
  const report = path.join(scratch, 'time');
  const started = performance.now();
  await run({
    ...command,
    program: TIME,
    args: ['--quiet', '--format', '%U %S %M', '--output', report, command.program, ...command.args],
  });
  const wallSeconds = (performance.now() - started) / 1000;
  const [user = 0, system = 0, kibibytes = 0] = (await readFile(report, 'utf8'))
    .trim()
    .split(' ')
    .map(Number);
  return { wallSeconds, cpuSeconds: user + system, peakBytes: kibibytes * 1024 };
}

/** The output of a command that is not measured. */
export async function run(command: Command): Promise<string> {
  const child = spawn(command.program, command.args, {
    env: { ...process.env, ...command.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject).on('close', resolve);
  const code = await ended;
  const text = Buffer.concat(output).toString();
  if (code !== 0) {
    throw new Failure(
      'internal',
      `${command.program} ${command.args.join(' ')} ended with ${code}:\n${text.slice(-2000)}`,
    );
  }
  return text;
}
