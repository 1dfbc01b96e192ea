import type { Clock } from '@holdfast/engine';
import { readFindings } from '../catalog/findings.ts';
import { readEndedRuns } from '../catalog/runs.ts';
import type { Policy } from '../policy/model.ts';
import type { Order, RatesAt, Task, TaskOutcome } from '../protect/task.ts';
import type { Database } from '../state/session.ts';
import { applyOutcome } from './apply-outcome.ts';
import { noteLedger } from './ledger-marks.ts';
import type { PolicyText } from './policy-file.ts';
import type { Worker, WorkerAudience } from './worker-process.ts';

export interface TaskParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly stateDirectory: string;
  readonly start: (order: Order, audience: WorkerAudience) => Worker;
  /** As it is now. */
  readonly policy: () => { readonly policy: Policy; readonly text: PolicyText };
  /** Where the worker's share of the policy's rates is given out; absent for what is too small to matter. */
  readonly desk?: { share(): Promise<RatesAt>; seat(worker: Worker): Disposable };
}

/** Has a worker do a task, and remembers what it has changed. Aborting `signal` asks the worker to stop. */
export async function runTask(
  task: Task,
  parts: TaskParts,
  audience: WorkerAudience,
  signal: AbortSignal,
): Promise<TaskOutcome> {
  const at = parts.clock.now();
  const { hash } = parts.policy().text;
  const worker = parts.start(await orderFor(task, parts), audience);
  using _seat = parts.desk?.seat(worker);
  const outcome = await endOf(worker, signal);
  await applyOutcome(parts.database, outcome);
  // One that tells a policy which was exchanged meanwhile is outdated already.
  if (task.kind === 'record' && parts.policy().text.hash === hash) {
    await noteLedger(parts.database, task.repository, at);
  }
  return outcome;
}

async function endOf(worker: Worker, signal: AbortSignal): Promise<TaskOutcome> {
  const stop = () => worker.stop();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await worker.outcome;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function orderFor(
  task: Task,
  { database, stateDirectory, policy: current, desk }: TaskParts,
): Promise<Order> {
  const { policy, text } = current();
  const findings = await readFindings(database);
  const rates = (await desk?.share()) ?? {};
  const order = { task, policy, stateDirectory, findings, rates };
  if (task.kind !== 'record') return order;
  // Oldest first: what was there the last time is the beginning, and is not stored again.
  const runs = (await readEndedRuns(database)).toReversed();
  return { ...order, ledger: { policy: text.text, findings, runs } };
}
