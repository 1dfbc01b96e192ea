import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';

export interface ProgramRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Answers 200 as soon as the server is ready. */
  readonly healthUrl: string;
}

export interface RunningProgram extends AsyncDisposable {
  readonly process: ChildProcess;
  /** The last that it said. */
  log(): string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a server and waits until it says that it is healthy; rejects with its last words when it ends before. */
export async function startHttpServer({
  program,
  args,
  env,
  healthUrl,
}: ProgramRun): Promise<RunningProgram> {
  const child = spawn(program, args, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000);
    });
  }
  const ended = Promise.withResolvers<void>();
  child.once('exit', () => ended.resolve()).once('error', () => ended.resolve());
  let over = false;
  void ended.promise.then(() => {
    over = true;
  });
  const stop = async (signal: NodeJS.Signals = 'SIGKILL') => {
    child.kill(signal);
    await ended.promise;
  };
  const deadline = Date.now() + 30_000;
  while (!(await healthy(healthUrl))) {
    if (over || Date.now() > deadline) {
      await stop();
      throw new Error(`${program} did not get ready:\n${said}`);
    }
    await setTimeout(20);
  }
  return { process: child, log: () => said, stop, [Symbol.asyncDispose]: () => stop() };
}

async function healthy(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}
