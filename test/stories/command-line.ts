import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
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

/** One person at one machine: a directory to work in, and `./holdfast` of this checkout as a real program. */
export interface CommandLine extends Disposable {
  readonly directory: string;
  /** All that any command has printed so far. */
  readonly transcript: string;
  run(words: readonly string[], options?: RunOptions): Promise<Said>;
}

/** `environment` holds for every command. Nothing of whoever runs the tests comes through but the PATH. */
export function commandLine(environment: Readonly<Record<string, string>>): CommandLine {
  const directory = mkdtempSync(path.join(tmpdir(), 'holdfast story '));
  const common = { PATH: process.env.PATH ?? '', HOME: directory, TZ: 'Asia/Ho_Chi_Minh', ...environment };
  let transcript = '';
  return {
    directory,
    get transcript() {
      return transcript;
    },
    async run(words, { environment: more = {}, input = '' } = {}) {
      const child = spawn(path.join(root, 'holdfast'), words, {
        cwd: directory,
        env: { ...common, ...more },
      });
      child.stdin.on('error', () => {}).end(input);
      const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
      const exitCode = await new Promise<number | null>((resolve, reject) => {
        child.on('error', reject).on('close', resolve);
      });
      const said = { exitCode, stdout: stdout.text(), stderr: stderr.text() };
      transcript += said.stdout + said.stderr;
      return { ...said, lines: () => parseLines(said.stdout) };
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
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
