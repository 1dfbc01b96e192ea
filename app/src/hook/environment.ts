import type { Environment } from '../cli/terminal.ts';
import type { Hook } from '../policy/model.ts';

/** What a hook is told about the run that it belongs to. */
export interface HookContext {
  readonly stack: string;
  readonly source: string;
  readonly run: string;
  /** Absent before the run's work is done. */
  readonly outcome?: 'succeeded' | 'incomplete' | 'failed';
  readonly failureCode?: string;
  /** Id of what was saved. */
  readonly snapshot?: string;
}

/**
 * What a command needs of its surroundings to work at all. Nothing else is handed on: among our variables are the
 * secrets that a policy refers to, and a hook has no business with those of others.
 */
const HANDED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'TZ', 'TMPDIR'];

export function hookEnvironment(
  when: Hook['when'],
  context: HookContext,
  surroundings: Environment,
): Record<string, string> {
  const handedOn = Object.entries(surroundings).filter(
    ([name]) => HANDED_ON.includes(name) || name.startsWith('LC_'),
  );
  const told = {
    HOLDFAST_STACK: context.stack,
    HOLDFAST_SOURCE: context.source,
    HOLDFAST_RUN: context.run,
    HOLDFAST_WHEN: when,
    HOLDFAST_OUTCOME: context.outcome,
    HOLDFAST_FAILURE_CODE: context.failureCode,
    HOLDFAST_SNAPSHOT: context.snapshot,
  };
  const all = [...handedOn, ...Object.entries(told)];
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
