import type { Run, RunFailure, RunResult, RunStep } from '../catalog/records.ts';
import type { NewStep } from './new-run.ts';

/** A step as far as the way of its run depends on it. */
export interface StepFacts extends Pick<NewStep, 'runs' | 'decides'> {
  readonly ordinal: number;
  readonly state: RunStep['state'];
  readonly incomplete: boolean;
  readonly result?: RunResult;
  readonly failure?: RunFailure;
}

export interface Progress {
  /** Ordinals of steps whose time is over: they are for another end of the story. */
  readonly skipped: readonly number[];
  /** Ordinal of the step that is next. */
  readonly next?: number;
  /** How the run ended, when no step is next. */
  readonly end?: RunEnd;
}

export interface RunEnd extends Pick<Run, 'result' | 'failure'> {
  readonly state: Exclude<Run['state'], 'waiting' | 'running'>;
}

/** Where a run goes on from its steps as they are, in their order. A run that is cancelled does only what comes always. */
export function progressOf(steps: readonly StepFacts[], cancelling: boolean): Progress {
  const failed = steps.some(({ state, decides }) => decides && (state === 'failed' || state === 'unknown'));
  const skipped: number[] = [];
  for (const { ordinal, state, runs } of steps) {
    if (state === 'running') return { skipped, next: ordinal };
    if (state !== 'waiting') continue;
    if (isWanted(runs, failed, cancelling)) return { skipped, next: ordinal };
    skipped.push(ordinal);
  }
  return { skipped, end: endOf(steps, failed, cancelling) };
}

function isWanted(runs: StepFacts['runs'], failed: boolean, cancelling: boolean): boolean {
  if (runs === 'always') return true;
  return !cancelling && (runs === 'after a failure') === failed;
}

function endOf(steps: readonly StepFacts[], failed: boolean, cancelling: boolean): RunEnd {
  const result = sumOf(steps.flatMap((step) => (step.result === undefined ? [] : [step.result])));
  const worst = steps.find(({ decides, failure }) => decides && failure !== undefined)?.failure;
  const incomplete = steps.some((step) => step.incomplete);
  return {
    state: cancelling ? 'cancelled' : failed ? 'failed' : incomplete ? 'incomplete' : 'succeeded',
    ...(result === undefined ? {} : { result }),
    ...(worst === undefined ? {} : { failure: worst }),
  };
}

/** What all steps brought together. */
function sumOf(results: readonly RunResult[]): RunResult | undefined {
  if (results.length < 2) return results[0];
  return {
    snapshots: results.flatMap(({ snapshots }) => snapshots),
    bytes: results.reduce((sum, { bytes }) => sum + bytes, 0),
    added: results.reduce((sum, { added }) => sum + added, 0),
    findings: results.flatMap(({ findings }) => findings),
    summary: results.map(({ summary }) => summary).join('; '),
  };
}
