import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { RunQueue } from '../../app/src/queue/run-queue.ts';
import { openState, type State } from '../../app/src/state/state.ts';
import { type Clock, systemClock } from '../../engine/src/kernel/clock.ts';

/** A state directory of a test's own. Disposing it kills whatever server is left on it. */
export class ControlScene implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<ControlScene> {
    const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-control-'));
    // As root, PostgreSQL runs as somebody else, who passes through it.
    await chmod(directory, 0o755);
    return new ControlScene(directory);
  }

  get dataDirectory(): string {
    return path.join(this.directory, 'database/data');
  }

  async open(): Promise<State> {
    const { signal } = new AbortController();
    return await openState({ directory: this.directory, clock: systemClock, signal });
  }

  /** Undefined when no server runs. */
  async serverPid(): Promise<number | undefined> {
    const text = await readFile(path.join(this.dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
    const pid = Number(text.split('\n')[0]);
    return pid > 1 && isAlive(pid) ? pid : undefined;
  }

  /** As a machine that runs out of memory does. Resolves when the process is gone. */
  async killServer(): Promise<void> {
    const pid = await this.serverPid();
    if (pid === undefined) return;
    process.kill(pid, 'SIGKILL');
    while (isAlive(pid)) await new Promise(setImmediate);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killServer();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** A state and the queue on it, closed in the right order. */
export async function openQueue(scene: ControlScene, clock: Clock = systemClock) {
  const state = await scene.open();
  const queue = await RunQueue.open(state.database, clock);
  return {
    state,
    queue,
    database: state.database,
    async [Symbol.asyncDispose]() {
      await queue[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}

/** A control plane in a process of its own, which can be killed. */
export class PlaneProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  readonly #lines: string[] = [];
  #heard: (() => void) | undefined;

  constructor(scene: ControlScene, log: string, options: { readonly uid?: number } = {}) {
    const script = fileURLToPath(new URL('plane-process.ts', import.meta.url));
    this.child = spawn(process.execPath, ['--conditions=source', script, scene.directory, log], {
      stdio: ['ignore', 'pipe', 'inherit'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    const exited = Promise.withResolvers<number | null>();
    this.child.once('exit', exited.resolve);
    this.exited = exited.promise;
    const { stdout } = this.child;
    if (stdout === null) throw new TypeError('stdout is a pipe');
    createInterface({ input: stdout }).on('line', (line) => {
      this.#lines.push(line);
      this.#heard?.();
    });
    void this.exited.then(() => this.#heard?.());
  }

  /** Resolves when it has said so; false when it ended without. */
  async said(line: string): Promise<boolean> {
    while (!this.#lines.includes(line)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) return false;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
    return true;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.exited;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
