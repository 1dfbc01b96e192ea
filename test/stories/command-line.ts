import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Said {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The JSON lines of standard output. */
  lines(): Record<string, unknown>[];
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
}

/** A command that is running. */
export interface Running {
  /** Resolves when it has printed that; rejects when it ends without. */
  says(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly said: Promise<Said>;
}

/** One person at one machine: a directory to work in, and `./holdfast` of this checkout as a real program. */
export interface CommandLine extends Disposable {
  readonly directory: string;
  /** All that any command has printed so far. */
  readonly transcript: string;
  run(words: readonly string[], options?: RunOptions): Promise<Said>;
  start(words: readonly string[], options?: RunOptions): Running;
}

export interface Person {
  readonly uid: number;
  readonly gid: number;
}

/**
 * `environment` holds for every command. Nothing of whoever runs the tests comes through but the PATH. As root they may be
 * run as somebody else.
 */
export function commandLine(environment: Readonly<Record<string, string>>, person?: Person): CommandLine {
  const directory = mkdtempSync(path.join(tmpdir(), 'holdfast story '));
  if (person !== undefined) chownSync(directory, person.uid, person.gid);
  const common = {
    PATH: process.env.PATH ?? '',
    HOME: directory,
    TZ: 'Asia/Ho_Chi_Minh',
    // Whatever somebody else keeps for further runs goes with the directory.
    ...(person === undefined ? {} : { TMPDIR: directory }),
    ...environment,
  };
  let transcript = '';
  const start: CommandLine['start'] = (words, { environment: more = {}, input = '' } = {}) => {
    const env = { ...common, ...more };
    const child = spawn(path.join(root, 'holdfast'), words, { cwd: directory, env, ...person });
    child.stdin.on('error', () => {}).end(input);
    const running = follow(child);
    return {
      ...running,
      said: running.said.then((said) => {
        transcript += said.stdout + said.stderr;
        return said;
      }),
    };
  };
  return {
    directory,
    get transcript() {
      return transcript;
    },
    start,
    run: (words, options) => start(words, options).said,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function follow(child: ChildProcessWithoutNullStreams): Running {
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  const says = async (pattern: RegExp): Promise<void> => {
    const heard = Promise.withResolvers<void>();
    const listen = () => {
      if (pattern.test(stdout.text())) heard.resolve();
    };
    child.stdout.on('data', listen);
    listen();
    const silent = ended.then(() =>
      Promise.reject(new Error(`it only said:\n${stdout.text()}${stderr.text()}`)),
    );
    await Promise.race([heard.promise, silent]).finally(() => child.stdout.off('data', listen));
  };
  return {
    says,
    kill: (signal) => child.kill(signal),
    said: ended.then((exitCode) => {
      const said = { exitCode, stdout: stdout.text(), stderr: stderr.text() };
      return { ...said, lines: () => parseLines(said.stdout) };
    }),
  };
}

function collect(stream: NodeJS.ReadableStream): { text(): string } {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  return { text: () => Buffer.concat(pieces).toString() };
}

function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
