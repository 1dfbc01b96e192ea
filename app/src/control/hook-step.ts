import type { HookContext } from '../hook/environment.ts';
import { type HookResult, runHook } from '../hook/hook.ts';
import type { Hook, Policy } from '../policy/model.ts';
import type { StepOutcome } from '../queue/new-run.ts';
import type { TakenStep } from '../queue/run-queue.ts';
import type { StepOrder } from './run-plan.ts';

export interface HookParts {
  readonly policy: Policy;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Runs one of a source's hooks; its output is kept with the run. */
export async function runHookStep(
  step: TakenStep,
  { source: name, hook: index }: StepOrder & { readonly kind: 'hook' },
  { policy, environment, signal }: HookParts,
): Promise<StepOutcome> {
  const hook = policy.sources.find((source) => source.name === name)?.hooks[index];
  if (hook === undefined) return { state: 'skipped' };
  const result = await runHook(hook, contextOf(step, name, policy), { environment }, signal);
  const summary = lastLine(result.output);
  const kept = {
    snapshots: [],
    bytes: 0,
    added: 0,
    findings: [],
    summary: summary === '' ? hook.when : summary,
  };
  if (result.outcome === 'succeeded') return { state: 'done', result: kept };
  const failure = {
    code: 'hook.failed',
    message: `${whatOf(hook)} ${howEnded(result)}`,
    hint: saying(result.output),
  };
  // One that may fail leaves a mark, and the run goes on.
  return hook.onError === 'stop'
    ? { state: 'failed', result: kept, failure }
    : { state: 'failed', incomplete: true, result: kept, failure };
}

function contextOf({ run, before }: TakenStep, source: string, { stack }: Policy): HookContext {
  const failed = before.find(({ state }) => state === 'failed' || state === 'unknown');
  const work = before.find(({ name }) => name === 'snapshot');
  const snapshot = work?.result?.snapshots[0];
  const outcome = failed !== undefined ? 'failed' : work?.state === 'done' ? 'succeeded' : undefined;
  return {
    stack,
    source,
    run: run.id,
    ...(outcome === undefined ? {} : { outcome }),
    ...(failed?.failure === undefined ? {} : { failureCode: failed.failure.code }),
    ...(snapshot === undefined ? {} : { snapshot }),
  };
}

/** Only its first word: what follows may be anything. */
function whatOf({ when, command }: Hook): string {
  return `the hook ${when} the snapshot (${command.trim().split(/\s/)[0]} …)`;
}

function howEnded({ outcome, exitCode, endedBy }: HookResult): string {
  if (outcome === 'timed out') return 'took longer than it may and was ended';
  if (outcome === 'stopped') return 'was stopped with its run';
  return exitCode === undefined
    ? `was ended by ${endedBy ?? 'a signal'}`
    : `ended with exit code ${exitCode}`;
}

function saying(output: string): string {
  const line = lastLine(output);
  return line === '' ? 'It printed nothing.' : `Its last words: ${line}`;
}

function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1)?.slice(0, LONGEST_LINE) ?? '';
}

const LONGEST_LINE = 500;
