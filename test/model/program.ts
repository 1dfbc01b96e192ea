import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A real program with its words, as somebody types it. */
export interface Command {
  readonly by: 'holdfast' | 'restic';
  readonly words: readonly string[];
  readonly workingDirectory?: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** What befalls a process, `after` in milliseconds from its start. */
export interface Mishap {
  readonly kind: 'kill -9' | 'interrupt';
  readonly after: number;
}

/** The JSON lines that a program printed. */
export type Lines = readonly Readonly<Record<string, unknown>>[];

export type Ending =
  | { readonly how: 'done'; readonly lines: Lines }
  /** It gave up and said why: a failure code of ours, or `locked`, `failed` of restic's. */
  | { readonly how: 'gave up'; readonly code: string; readonly text: string }
  | { readonly how: 'killed' }
  /** It ended in a way in which nothing should, or not at all. */
  | { readonly how: 'crashed'; readonly text: string };

const MAIN = fileURLToPath(new URL('../../app/src/main.ts', import.meta.url));
/** As long as two waits for a lock, and the work itself on a machine that has much else to do. */
const HANGS_AFTER_MS = 180_000;
const KEPT_CHARACTERS = 3000;

/** Runs a program to its end, whatever that is. */
export async function runProgram(command: Command, restic: string, mishap?: Mishap): Promise<Ending> {
  const child = start(command, restic);
  const [output, errors] = [collect(child.stdout), collect(child.stderr)];
  let isHung = false;
  const timers = [
    setTimeout(() => {
      isHung = true;
      child.kill('SIGKILL');
    }, HANGS_AFTER_MS),
  ];
  if (mishap !== undefined) {
    const signal = mishap.kind === 'kill -9' ? 'SIGKILL' : 'SIGINT';
    timers.push(setTimeout(() => child.kill(signal), mishap.after));
  }
  const { promise: closed, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject).once('close', (code) => resolve(code));
  const code = await closed.finally(() => timers.forEach(clearTimeout));
  const text = `${errors()}${output()}`.slice(-KEPT_CHARACTERS);
  if (isHung) return { how: 'crashed', text: `no end after ${HANGS_AFTER_MS / 1000} s: ${text}` };
  return command.by === 'holdfast'
    ? endingOfOurs(code, output(), text)
    : endingOfRestic(code, output(), text);
}

function start({ by, words, workingDirectory, environment }: Command, restic: string): ChildProcess {
  const options = {
    cwd: workingDirectory ?? '/',
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
  };
  if (by === 'restic') return spawn(restic, ['--no-cache', '--json', ...words], options);
  const flags = ['--max-semi-space-size=4', '--conditions=source', '--disable-warning=ExperimentalWarning'];
  return spawn(process.execPath, [...flags, MAIN, ...words, '--json', '--quiet'], options);
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const pieces: Buffer[] = [];
  stream?.on('data', (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString();
}

/** What it said last counts even when it was killed then: it was a promise. */
function endingOfOurs(code: number | null, output: string, text: string): Ending {
  const lines = jsonLines(output);
  const error = lines.find(({ type }) => type === 'error');
  if (error?.['code'] === 'internal') return { how: 'crashed', text };
  if (error !== undefined) return { how: 'gave up', code: String(error['code']), text };
  if (code === 0 || lines.at(-1)?.['type'] === 'summary') return { how: 'done', lines };
  return code === null ? { how: 'killed' } : { how: 'crashed', text };
}

function endingOfRestic(code: number | null, output: string, text: string): Ending {
  if (code === 0) return { how: 'done', lines: jsonLines(output) };
  if (code === null) return { how: 'killed' };
  const isLocked = code === 11 || /already locked|unable to create lock/.test(text);
  return { how: 'gave up', code: isLocked ? 'locked' : 'failed', text };
}

/** Whole lines only: of the last one a killed program may have printed a part. restic prints others between them. */
function jsonLines(output: string): Lines {
  return output
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
