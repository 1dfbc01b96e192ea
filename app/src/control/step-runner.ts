import { Failure, isFailure } from '@holdfast/engine';
import type { RunFailure } from '../catalog/records.ts';
import type { TaskOutcome } from '../protect/task.ts';
import type { StepOutcome } from '../queue/new-run.ts';
import type { RunQueue, TakenStep } from '../queue/run-queue.ts';
import { SKIPPED } from './gather-facts.ts';
import { runHookStep } from './hook-step.ts';
import type { RateDesk } from './rate-desk.ts';
import type { StepOrder } from './run-plan.ts';
import { runTask, type TaskParts } from './run-task.ts';
import type { Worker } from './worker-process.ts';

export interface StepRunnerParts extends Omit<TaskParts, 'desk'> {
  readonly queue: RunQueue;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly rates: RateDesk;
  readonly onNote: (step: TakenStep, line: string) => void;
}

/** How it ended; `lost` when somebody else has it by now. */
export type StepEnd = StepOutcome | 'given back' | 'lost';

/**
 * Does a step that was taken, and records how it ended. While it works the queue is told that somebody does; when the
 * answer is that somebody else has it by now, or that the run was cancelled, the work is stopped. Aborting `signal`
 * stops it cleanly and gives the step back, so that whoever comes next takes it, unless it must never run twice.
 */
export async function runStep(
  step: TakenStep,
  parts: StepRunnerParts,
  signal: AbortSignal,
): Promise<StepEnd> {
  const { queue } = parts;
  const stop = new AbortController();
  const beats = beatUntil(step, parts, stop);
  let ended: StepOutcome;
  try {
    ended = await perform(step, parts, AbortSignal.any([signal, stop.signal]));
  } catch (error) {
    if (signal.aborted && !stop.signal.aborted) {
      await beats.end();
      await queue.giveBack(step);
      return 'given back';
    }
    ended = { state: 'failed', failure: failureOf(error) };
  }
  await beats.end();
  return (await queue.finish(step, ended)) ? ended : 'lost';
}

async function perform(step: TakenStep, parts: StepRunnerParts, signal: AbortSignal): Promise<StepOutcome> {
  const order = step.order as StepOrder;
  const { policy } = parts.policy();
  if (order.kind === 'hook') return await runHookStep(step, order, { ...parts, policy, signal });
  const audience = { progress: () => undefined, note: (line: string) => parts.onNote(step, line) };
  const desk = {
    share: () => parts.rates.shareOf(step.run.id),
    seat: (worker: Worker) => parts.rates.seat(step.run.id, worker),
  };
  return outcomeOf(await runTask(order.task, { ...parts, desk }, audience, signal));
}

function outcomeOf({ result, incomplete, skipped }: TaskOutcome): StepOutcome {
  if (skipped !== undefined) {
    const failure = { code: SKIPPED, message: skipped };
    return { state: 'done', incomplete: true, result, failure };
  }
  return { state: 'done', incomplete, result };
}

/** Tells the queue by the beat that the step is worked on. */
function beatUntil(step: TakenStep, { queue, clock }: StepRunnerParts, stop: AbortController) {
  const ended = new AbortController();
  const beating = (async () => {
    while (!ended.signal.aborted) {
      await clock.sleep(BEAT_MS, ended.signal).catch(() => undefined);
      if (ended.signal.aborted) return;
      // A database that is away for a moment costs a beat; away for longer, somebody else takes the step.
      const answer = await queue.beat(step).catch(() => 'ours' as const);
      if (answer === 'ours') continue;
      stop.abort(new Failure('interrupted', WHY[answer]));
      return;
    }
  })();
  return {
    async end() {
      ended.abort();
      await beating;
    },
  };
}

const WHY = {
  cancel: 'the run was cancelled',
  lost: 'another control plane has taken the step over, since this one did not answer for a while',
} as const;

function failureOf(error: unknown): RunFailure {
  if (!isFailure(error))
    return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
  const { code, message, hint } = error;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

const BEAT_MS = 3000;
