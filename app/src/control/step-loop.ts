import type { Clock, Failure } from '@holdfast/engine';
import type { Policy } from '../policy/model.ts';
import type { UnfinishedRun } from '../queue/new-run.ts';
import { type MayStart, type RunQueue, STEP_CHANNEL, type TakenStep } from '../queue/run-queue.ts';
import { admit, type RunClaim } from '../schedule/admission.ts';
import type { State } from '../state/state.ts';
import { scopeOf } from './policy-works.ts';
import { troubleOf } from './trouble.ts';

export interface StepLoopOptions {
  readonly state: State;
  readonly queue: RunQueue;
  readonly clock: Clock;
  /** Who takes steps, for the record: host and process. */
  readonly who: string;
  readonly policy: () => Policy;
  /** Never rejects for what goes wrong in the step: that is recorded with it. */
  readonly run: (step: TakenStep, signal: AbortSignal) => Promise<void>;
  readonly onTrouble: (failure: Failure) => void;
  readonly signal: AbortSignal;
}

/** Takes steps as they come and the limits allow, and sees each to its end. Resolves when the signal has aborted and all are. */
export async function takeSteps(options: StepLoopOptions): Promise<void> {
  const { state, queue, clock, who, run, onTrouble, signal } = options;
  const running = new Set<Promise<void>>();
  const bell = new Bell(signal);
  using _listening = await state.listen(STEP_CHANNEL, () => bell.ring());
  const mayStart: MayStart = (waiting, busy) => choose(waiting, busy, options.policy(), clock.now());
  while (!signal.aborted) {
    try {
      for (;;) {
        const step = await queue.take(who, mayStart);
        if (step === undefined || signal.aborted) {
          if (step !== undefined) await queue.giveBack(step);
          break;
        }
        const work = run(step, signal)
          .catch((error: unknown) => onTrouble(troubleOf(error)))
          .finally(() => {
            running.delete(work);
            bell.ring();
          });
        running.add(work);
      }
    } catch (error) {
      // The memory is away for a moment, or we are ending.
      if (!signal.aborted) onTrouble(troubleOf(error));
    }
    await bell.heard(clock, LOOK_EVERY_MS);
  }
  await Promise.all(running);
}

/** Pure: which runs may start, by the limits of the policy of now. */
function choose(
  waiting: readonly UnfinishedRun[],
  running: readonly UnfinishedRun[],
  policy: Policy,
  now: number,
): readonly UnfinishedRun[] {
  const claim = (run: UnfinishedRun): RunClaim => {
    const { source, priority } = scopeOf(policy, run.kind, run.about);
    return { ...run, priority, ...(source === undefined ? {} : { source }) };
  };
  const started = admit(waiting.map(claim), running.map(claim), policy.limits, now);
  const byId = new Map(waiting.map((run) => [run.id, run]));
  return started.flatMap(({ id }) => byId.get(id) ?? []);
}

/** Rung, whoever waits goes on at once; a ring while nobody waits is not lost. */
class Bell {
  #rung = Promise.withResolvers<void>();

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.ring(), { once: true });
  }

  ring(): void {
    this.#rung.resolve();
  }

  async heard(clock: Clock, most: number): Promise<void> {
    const enough = new AbortController();
    await Promise.race([this.#rung.promise, clock.sleep(most, enough.signal).catch(() => undefined)]);
    enough.abort();
    this.#rung = Promise.withResolvers();
  }
}

/** A run may be waiting for its time, and a step for the end of somebody who died. */
const LOOK_EVERY_MS = 2000;
