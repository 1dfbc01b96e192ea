import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { startWorker } from '../../kernel/worker-thread.ts';
import { Signals } from './signals.ts';

/** What a worker is born with; the rest comes as its first message, once there is a repository. */
export interface WorkerBirth {
  readonly worker: number;
  readonly signals: SharedArrayBuffer;
}

/**
 * Worker threads that have loaded their code and wait. Starting them costs tens of milliseconds, which a command
 * spends while the password's key is being derived on another core.
 */
export interface CrewThreads {
  readonly workers: readonly Worker[];
  readonly signals: Signals;
  /** Ends them, whatever they are doing, at their next look at the signals. */
  stop(): Promise<void>;
}

/** As many as the machine has cores unless said otherwise. */
export function startCrewThreads(count: number = availableParallelism()): CrewThreads {
  const signals = Signals.allocate(count);
  const workers: Worker[] = [];
  const ended: Promise<unknown>[] = [];
  for (let worker = 0; worker < count; worker += 1) {
    const birth: WorkerBirth = { worker, signals: signals.shared };
    const thread = startWorker(import.meta.url, './backup-worker', birth);
    workers.push(thread);
    ended.push(new Promise((resolve) => thread.once('exit', resolve)));
  }
  return {
    workers,
    signals,
    stop: async () => {
      signals.stop();
      for (let worker = 0; worker < count; worker += 1) signals.wake(worker);
      await Promise.all(ended);
    },
  };
}
