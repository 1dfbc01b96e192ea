import type { Clock, Failure, Random } from '@holdfast/engine';
import type { Order } from '../protect/task.ts';
import { RunQueue, type TakenStep } from '../queue/run-queue.ts';
import { readUnfinished } from '../queue/run-rows.ts';
import type { State } from '../state/state.ts';
import { closeCatalog } from './close-catalog.ts';
import type { CurrentPolicy } from './current-policy.ts';
import { type LeaderParts, lead } from './leader.ts';
import { RateDesk } from './rate-desk.ts';
import { takeSteps } from './step-loop.ts';
import { runStep, type StepEnd } from './step-runner.ts';
import type { TickReport } from './tick.ts';
import { troubleOf } from './trouble.ts';
import type { Worker, WorkerAudience } from './worker-process.ts';

export interface ControlPlaneParts {
  readonly state: State;
  readonly current: CurrentPolicy;
  readonly clock: Clock;
  readonly random: Random;
  /** Host and process: who takes steps. */
  readonly who: string;
  readonly stateDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly start: (order: Order, audience: WorkerAudience) => Worker;
  /** Looks whether reality and policy part, and tells who must know; whether the next look should come soon. */
  readonly watch: () => Promise<boolean>;
  /** Something has gone wrong: looks at the next opportunity. */
  readonly hurry: () => void;
  readonly audience: ControlAudience;
  readonly signal: AbortSignal;
}

/** What may be heard of a control plane. */
export interface ControlAudience {
  readonly leading: (leads: boolean) => void;
  readonly tick: (report: TickReport) => void;
  readonly began: (step: TakenStep) => void;
  readonly note: (step: TakenStep, line: string) => void;
  readonly ended: (step: TakenStep, end: StepEnd) => void;
  readonly policy: (outcome: 'changed' | Failure) => void;
  readonly trouble: (failure: Failure) => void;
}

/**
 * Carries out a policy until the signal aborts; then what is under way is ended cleanly, or given back for whoever comes
 * next. Everything that must outlive this process is in the state, so killed at any moment it costs nothing but time.
 */
export async function runControlPlane(parts: ControlPlaneParts): Promise<void> {
  const { state, clock, current, audience } = parts;
  await using queue = await RunQueue.open(state.database, clock);
  const [led] = await Promise.all([leadWhenever(parts, queue), steps(parts, queue), reload(parts)]);
  if (!led) return;
  const onTrouble = (error: unknown) => audience.trouble(troubleOf(error));
  await closeCatalog({ ...parts, database: state.database, policy: () => current.loaded, onTrouble }).catch(
    onTrouble,
  );
}

async function steps(parts: ControlPlaneParts, queue: RunQueue): Promise<void> {
  const { state, clock, who, current, audience, signal } = parts;
  const rates = new RateDesk({
    policy: () => current.loaded.policy,
    running: async () => (await readUnfinished(state.database)).filter((run) => run.state === 'running'),
    clock,
  });
  const keeping = rates.keep(signal);
  const working = {
    ...parts,
    rates,
    database: state.database,
    queue,
    policy: () => current.loaded,
    onNote: (step: TakenStep, line: string) => audience.note(step, line),
  };
  await takeSteps({
    state,
    queue,
    clock,
    who,
    policy: () => current.loaded.policy,
    run: async (step, stopping) => {
      audience.began(step);
      const end = await runStep(step, working, stopping);
      if (typeof end !== 'string' && end.state === 'failed') parts.hurry();
      audience.ended(step, end);
    },
    onTrouble: (failure) => audience.trouble(failure),
    signal,
  });
  await keeping;
}

/** One control plane leads; the others ask again and again whether it still does. Resolves with whether we led last. */
async function leadWhenever(parts: ControlPlaneParts, queue: RunQueue): Promise<boolean> {
  const { state, clock, audience, signal } = parts;
  const leader: LeaderParts = {
    ...parts,
    queue,
    onTick: (report) => audience.tick(report),
    onTrouble: (failure) => audience.trouble(failure),
  };
  while (!signal.aborted) {
    // The memory is away: whoever takes steps asks it as well, and tells.
    await using leadership = await state.lead().catch(() => undefined);
    if (leadership !== undefined) {
      audience.leading(true);
      await lead(leader, AbortSignal.any([signal, leadership.signal]));
      if (signal.aborted) return true;
      audience.leading(false);
    }
    await clock.sleep(ASK_EVERY_MS, signal).catch(() => undefined);
  }
  return false;
}

async function reload({ current, clock, audience, signal }: ControlPlaneParts): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    const found = await current.look();
    if (found === 'changed') audience.policy('changed');
    if (found === 'refused' && current.refused !== undefined) audience.policy(current.refused);
  }
}

const ASK_EVERY_MS = 2000;
const LOOK_EVERY_MS = 1000;
