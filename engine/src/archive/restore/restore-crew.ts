import type { Worker } from 'node:worker_threads';
import { Failure } from '../../kernel/failure.ts';
import { startWorker } from '../../kernel/worker-thread.ts';
import type { NotKeptKind, RestoreProblem } from './problem.ts';
import type { DifferingFile, FromWorker, Task, ToWorker, Uses, WorkerSetup } from './protocol.ts';

export interface CrewHooks {
  readonly problem: (problem: RestoreProblem) => void;
  readonly notKept: (kind: NotKeptKind, reason: string) => void;
  /** A blob that did not open. */
  readonly damaged: (uses: Uses, reason: string) => void;
}

type Answer = readonly DifferingFile[];

/**
 * The workers of a restore, seen from the main thread. A task goes to whoever has least to do. The first thing that
 * goes wrong in the target as a whole, or in a worker itself, is what every call rejects with from then on.
 */
export class RestoreCrew {
  readonly #workers: { readonly thread: Worker; readonly waiting: ((answer: Answer) => void)[] }[] = [];
  readonly #ended: Promise<unknown>[] = [];
  readonly #hooks: CrewHooks;
  readonly #target: string;
  readonly #failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;

  /** `target`: as text, for messages. */
  constructor(setups: readonly WorkerSetup[], target: string, hooks: CrewHooks) {
    this.#hooks = hooks;
    this.#target = target;
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Whoever waits for a task gets it; when nobody does, it must not end the process.
    this.#failed.catch(() => undefined);
    for (const setup of setups) this.#start(setup);
  }

  get size(): number {
    return this.#workers.length;
  }

  async do(task: Task, transfer: ArrayBuffer[] = []): Promise<Answer> {
    const worker = this.#workers.reduce((least, each) =>
      each.waiting.length < least.waiting.length ? each : least,
    );
    const answer = new Promise<Answer>((resolve) => worker.waiting.push(resolve));
    worker.thread.postMessage(task, transfer);
    return await Promise.race([answer, this.#failed]);
  }

  /** Resolves when every worker has done what it was given and closed what it had open. */
  async end(): Promise<void> {
    const end: ToWorker = { kind: 'end' };
    for (const { thread } of this.#workers) thread.postMessage(end);
    await Promise.all(this.#ended);
  }

  #start(setup: WorkerSetup): void {
    const thread = startWorker(import.meta.url, './restore-worker', setup);
    const waiting: ((answer: Answer) => void)[] = [];
    this.#workers.push({ thread, waiting });
    thread.on('message', (message: FromWorker) => {
      if (message.type === 'done') waiting.shift()?.(message.differing);
      else this.#handle(message);
    });
    thread.on('error', (error) => this.#fail(error));
    this.#ended.push(new Promise((resolve) => thread.once('exit', resolve)));
  }

  #handle(message: Exclude<FromWorker, { type: 'done' }>): void {
    switch (message.type) {
      case 'problem':
        this.#hooks.problem(message.problem);
        return;
      case 'not-kept':
        this.#hooks.notKept(message.kind, message.reason);
        return;
      case 'damaged':
        this.#hooks.damaged(message.uses, message.reason);
        return;
      case 'crashed':
        this.#fail(
          new Failure('target.write', `Nothing more can be written: ${message.message}`, {
            subject: this.#target,
            hint: 'Is the disk full, or mounted read-only? Then run the same restore again: it goes on where it was.',
          }),
        );
    }
  }
}
