import type { Worker } from 'node:worker_threads';
import type { Id } from '../../kernel/id.ts';
import type { FinishedPack } from '../../repository/packer.ts';
import type { CrewThreads } from './crew-threads.ts';
import {
  type FromWorker,
  MAIN_THREAD,
  type ScanProblem,
  type SentTask,
  type Task,
  type TaskResult,
  type ToWorker,
  type WorkerSetup,
} from './protocol.ts';
import type { Signals } from './signals.ts';

export interface CrewHooks {
  /** Resolves when the pack is durable. */
  readonly savePack: (pack: FinishedPack) => Promise<void>;
  /** A tree blob's plaintext; undefined when the repository does not have it. */
  readonly loadTree: (id: Id) => Promise<Uint8Array | undefined>;
  readonly records: (bytes: Uint8Array) => void;
  readonly problem: (problem: ScanProblem) => void;
}

/**
 * The workers of a backup, seen from the main thread: it carries messages between them, saves their packs and waits.
 * The first thing that goes wrong anywhere stops all of them and is what `failed` rejects with.
 */
export class WorkerCrew {
  readonly #threads: CrewThreads;
  readonly #workers: readonly Worker[];
  readonly #signals: Signals;
  readonly #hooks: CrewHooks;
  readonly #hungry: number[] = [];
  readonly #waiting: SentTask[] = [];
  readonly #tickets = new Map<number, (result: TaskResult) => void>();
  readonly #saves = new Set<Promise<void>>();
  readonly #flushed: (() => void)[] = [];
  #nextTicket = 0;
  #nextWorker = 0;
  #fail: (error: unknown) => void = () => undefined;
  /** Never resolves. */
  readonly failed: Promise<never>;

  constructor(threads: CrewThreads, setup: Omit<WorkerSetup, 'worker'>, hooks: CrewHooks) {
    this.#threads = threads;
    this.#workers = threads.workers;
    this.#signals = threads.signals;
    this.#hooks = hooks;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Whoever races against it gets it; a crew that is given up early must not crash the process.
    this.failed.catch(() => undefined);
    this.#workers.forEach((thread, worker) => {
      thread.on('message', (message: FromWorker) => this.#handle(worker, message));
      thread.on('error', (error) => this.#fail(error));
      this.#post(worker, { type: 'setup', setup: { ...setup, worker } });
    });
  }

  /** Has a task done by whichever worker is next, or by one that is hungry. */
  async do(task: Task, transfer: ArrayBuffer[] = []): Promise<TaskResult> {
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    const result = new Promise<TaskResult>((resolve) => this.#tickets.set(ticket, resolve));
    this.#post(this.#nextWorker, { type: 'task', task, from: MAIN_THREAD, ticket }, transfer);
    this.#nextWorker = (this.#nextWorker + 1) % this.#workers.length;
    return await Promise.race([result, this.failed]);
  }

  /** Has every worker finish its packs; resolves when all of them are durable. */
  async flush(): Promise<void> {
    const flushed = this.#workers.map(() => new Promise<void>((resolve) => this.#flushed.push(resolve)));
    for (const worker of this.#workers.keys()) this.#post(worker, { type: 'flush' });
    await Promise.race([Promise.all(flushed), this.failed]);
    await Promise.race([Promise.all(this.#saves), this.failed]);
  }

  /** Stops the workers at the next chunk, waits until they have ended and until no save is under way any more. */
  async stop(): Promise<void> {
    await this.#threads.stop();
    await Promise.allSettled(this.#saves);
  }

  #handle(worker: number, message: FromWorker): void {
    switch (message.type) {
      case 'hungry':
        this.#hungry.push(worker);
        this.#match();
        break;
      case 'task':
        this.#waiting.push(message);
        this.#match();
        break;
      case 'result':
        this.#deliver(message.to, message.ticket, message.result);
        break;
      case 'pack':
        this.#save(worker, message.pack);
        break;
      case 'load-tree':
        this.#answerTree(worker, message.id);
        break;
      case 'records':
        this.#hooks.records(message.bytes);
        break;
      case 'problem':
        this.#hooks.problem(message.problem);
        break;
      case 'flushed':
        this.#flushed.shift()?.();
        break;
      case 'crashed':
        this.#fail(message.error);
        break;
    }
  }

  #match(): void {
    while (this.#hungry.length > 0 && this.#waiting.length > 0) {
      this.#post(this.#hungry.shift() as number, this.#waiting.shift() as SentTask);
    }
  }

  #deliver(to: number, ticket: number, result: TaskResult): void {
    if (to !== MAIN_THREAD) {
      this.#post(to, { type: 'result', ticket, result });
      return;
    }
    const resolve = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    resolve?.(result);
  }

  #save(worker: number, pack: FinishedPack): void {
    const saving: Promise<void> = this.#hooks
      .savePack(pack)
      .then(() => {
        this.#signals.packSaved(worker);
        // The buffer goes back: a fresh one would cost the kernel as many zeroed pages.
        const { buffer } = pack.bytes;
        this.#post(worker, { type: 'buffer', buffer }, [buffer]);
      })
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#saves.delete(saving));
    this.#saves.add(saving);
  }

  #answerTree(worker: number, id: Id): void {
    this.#hooks.loadTree(id).then(
      (bytes) => this.#post(worker, { type: 'tree', bytes }),
      (error: unknown) => this.#fail(error),
    );
  }

  #post(worker: number, message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#workers[worker]?.postMessage(message, transfer);
    this.#signals.wake(worker);
  }
}
