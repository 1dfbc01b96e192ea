import { type ChildProcess, spawn } from 'node:child_process';
import { Failure, type FailureCode, failureTable } from '@holdfast/engine';
import type { ProgressSample } from '../cli/progress.ts';
import type { Order, RatesAt, TaskOutcome } from '../protect/task.ts';
import type { FromWorker, ToWorker } from '../protect/worker-messages.ts';

/** What may be heard of a worker while it works. */
export interface WorkerAudience {
  progress(sample: ProgressSample): void;
  note(line: string, records: readonly Readonly<Record<string, unknown>>[]): void;
}

/** Nobody listens. */
export const SILENT: WorkerAudience = { progress: () => undefined, note: () => undefined };

export interface Worker {
  /** Rejects with the worker's failure; with `internal` when it died without a word. */
  readonly outcome: Promise<TaskOutcome>;
  /** What it may use from now on. */
  hold(rates: RatesAt): void;
  /** Asks it to finish cleanly, and kills it when it has not after a while. */
  stop(): void;
}

/** How this program is started again: its interpreter, the interpreter's options, the script. */
export type Program = readonly [command: string, ...words: string[]];

/**
 * Starts a worker for one order: a process of its own, so that its memory is gone when it is done, and what crashes it
 * crashes nothing else. It leads a process group of its own: a Ctrl-C on our terminal is for us, and we tell it.
 */
export function startWorker([command, ...words]: Program, order: Order, audience: WorkerAudience): Worker {
  const child = spawn(command, [...words, 'worker'], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  const outcome = Promise.withResolvers<TaskOutcome>();
  const lastWords = keepLastWords(child);
  const tell = (message: ToWorker) => {
    if (child.connected) child.send(message, () => undefined);
  };
  child.on('message', (message: FromWorker) => {
    switch (message.type) {
      case 'ready':
        return tell({ type: 'order', order });
      case 'progress':
        return audience.progress(message.sample);
      case 'note':
        return audience.note(message.line, message.records);
      case 'done':
        return outcome.resolve(message.outcome);
      case 'failed': {
        const { code, message: text, hint } = message.failure;
        return outcome.reject(new Failure(knownCode(code), text, hint === undefined ? {} : { hint }));
      }
    }
  });
  child.on('error', (error) => outcome.reject(diedWithoutWord(error.message)));
  let killing: NodeJS.Timeout | undefined;
  let closed = false;
  child.on('close', (code, signal) => {
    closed = true;
    clearTimeout(killing);
    const how = signal === null ? `exit code ${code}` : signal;
    outcome.reject(diedWithoutWord([how, lastWords()].filter((part) => part !== '').join(': ')));
  });
  return {
    outcome: outcome.promise,
    hold: (rates) => tell({ type: 'rates', rates }),
    stop() {
      if (closed) return;
      tell({ type: 'stop' });
      killing ??= setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    },
  };
}

function knownCode(code: string): FailureCode {
  return Object.hasOwn(failureTable, code) ? (code as FailureCode) : 'internal';
}

function diedWithoutWord(how: string): Failure {
  return new Failure('internal', `the worker ended without a result (${how})`, {
    hint: 'It is tried again. Was it killed, for lack of memory perhaps? The system’s log (dmesg, journalctl) says so.',
  });
}

/** The end of what it wrote to standard error: where a crash tells of itself. */
function keepLastWords(child: ChildProcess): () => string {
  let words = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    words = (words + text).slice(-LAST_WORDS);
  });
  return () => words.trim();
}

/** Characters. */
const LAST_WORDS = 2000;
/** A large upload may take so long to end. */
const PATIENCE_MS = 60_000;
