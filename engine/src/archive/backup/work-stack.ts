import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Interrupted } from './file-reader.ts';
import {
  type FromWorker,
  MAIN_THREAD,
  type SentTask,
  type Task,
  type TaskResult,
  type ToWorker,
} from './protocol.ts';
import type { Signals } from './signals.ts';

type Done = (result: TaskResult) => void;
type Work = { readonly task: Task; readonly done: Done };

/**
 * A worker's own stack of work, last in first out, so that a tree is walked depth-first and little waits at once.
 *
 * When another worker is hungry, the oldest piece is given away: it is the largest, since it lies nearest to the root.
 * Its result comes back under a ticket. When the stack is empty the worker sleeps until somebody writes to it.
 */
export class WorkStack {
  readonly #worker: number;
  readonly #port: MessagePort;
  readonly #signals: Signals;
  readonly #run: (task: Task, done: Done) => void;
  readonly #flush: () => void;
  readonly #stack: Work[] = [];
  readonly #tickets = new Map<number, Done>();
  readonly #buffers: ArrayBuffer[] = [];
  /** What arrived while a task was running, to be handled between two tasks: a task is never entered twice. */
  #inbox: ToWorker[] = [];
  #nextTicket = 0;
  #sayingHungry = false;
  #seenWake = -1;
  #stopped = false;
  #tree: { readonly bytes: Uint8Array | undefined } | undefined;

  constructor(parts: {
    worker: number;
    port: MessagePort;
    signals: Signals;
    run: (task: Task, done: Done) => void;
    flush: () => void;
  }) {
    this.#worker = parts.worker;
    this.#port = parts.port;
    this.#signals = parts.signals;
    this.#run = parts.run;
    this.#flush = parts.flush;
  }

  push(task: Task, done: Done): void {
    this.#stack.push({ task, done });
  }

  /** Works until the main thread says stop. */
  loop(): void {
    while (!this.#stopped && !this.#signals.stopped) {
      this.#receive();
      this.#handleInbox();
      const work = this.#stack.pop();
      if (work === undefined) {
        this.#rest();
        continue;
      }
      this.#giveAway();
      try {
        this.#run(work.task, work.done);
      } catch (error) {
        if (error instanceof Interrupted) return;
        throw error;
      }
    }
  }

  /** A buffer that came back from a saved pack. */
  takeBuffer(): ArrayBuffer | undefined {
    return this.#buffers.pop();
  }

  /** Blocks until this worker has fewer than `most` packs that are not durable yet. */
  waitForSaves(most: number): void {
    for (;;) {
      const seen = this.#signals.wakeNumber(this.#worker);
      if (this.#signals.unsaved(this.#worker) < most) break;
      if (this.#signals.stopped) throw new Interrupted();
      this.#signals.sleep(this.#worker, seen);
    }
    this.#receive();
  }

  /** Blocks until the main thread has answered a `load-tree`. */
  waitForTree(): Uint8Array | undefined {
    for (;;) {
      const seen = this.#signals.wakeNumber(this.#worker);
      this.#receive();
      const answer = this.#tree;
      if (answer !== undefined) {
        this.#tree = undefined;
        return answer.bytes;
      }
      if (this.#signals.stopped) throw new Interrupted();
      this.#signals.sleep(this.#worker, seen);
    }
  }

  send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #giveAway(): void {
    // The top of the stack was just taken; what remains can all be given, oldest first.
    while (this.#stack.length > 0 && this.#signals.hungry > 0 && this.#signals.claimHungry()) {
      const { task, done } = this.#stack.shift() as Work;
      const ticket = this.#nextTicket;
      this.#nextTicket += 1;
      this.#tickets.set(ticket, done);
      this.send({ type: 'task', task, from: this.#worker, ticket });
    }
  }

  #rest(): void {
    const seen = this.#signals.wakeNumber(this.#worker);
    if (seen !== this.#seenWake || this.#inbox.length > 0) return; // something came since the last look
    // After the wake number: a stop between the loop's look and ours has been counted in what we would sleep on.
    if (this.#signals.stopped) return;
    if (!this.#sayingHungry) {
      this.#sayingHungry = true;
      this.#signals.becomeHungry();
      this.send({ type: 'hungry' });
    }
    this.#signals.sleep(this.#worker, seen);
  }

  #receive(): void {
    const wake = this.#signals.wakeNumber(this.#worker);
    if (wake === this.#seenWake) return;
    this.#seenWake = wake;
    for (
      let got = receiveMessageOnPort(this.#port);
      got !== undefined;
      got = receiveMessageOnPort(this.#port)
    ) {
      const message = got.message as ToWorker;
      if (message.type === 'tree') this.#tree = { bytes: message.bytes };
      else if (message.type === 'buffer') this.#buffers.push(message.buffer);
      else this.#inbox.push(message);
    }
  }

  #handleInbox(): void {
    const messages = this.#inbox;
    if (messages.length === 0) return;
    this.#inbox = [];
    for (const message of messages) this.#handle(message);
  }

  #handle(message: ToWorker): void {
    switch (message.type) {
      case 'task':
        // The main thread sends on its own account as well; only another worker's task stills the hunger.
        if (message.from !== MAIN_THREAD) this.#sayingHungry = false;
        this.#accept(message);
        break;
      case 'result': {
        const done = this.#tickets.get(message.ticket);
        this.#tickets.delete(message.ticket);
        done?.(message.result);
        break;
      }
      case 'flush':
        this.#flush();
        break;
      case 'stop':
        this.#stopped = true;
        break;
      case 'setup':
      case 'tree':
      case 'buffer':
        break; // handled where they arrive
    }
  }

  #accept({ task, from, ticket }: SentTask): void {
    this.push(task, (result) => this.send({ type: 'result', to: from, ticket, result }));
  }
}
