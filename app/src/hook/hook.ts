import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from '../cli/terminal.ts';
import type { Hook } from '../policy/model.ts';
import { type HookContext, hookEnvironment } from './environment.ts';
import { LastOutput } from './last-output.ts';

export interface HookResult {
  /** `stopped`: by us, since the run was. `not started`: there is no shell. */
  readonly outcome: 'succeeded' | 'failed' | 'timed out' | 'stopped' | 'not started';
  /** Absent where a signal ended it. */
  readonly exitCode?: number;
  readonly endedBy?: NodeJS.Signals;
  readonly milliseconds: number;
  /** Of both streams as they came, the last 64 KiB. */
  readonly output: string;
  /** Bytes of output before that, which were not kept. */
  readonly dropped: number;
}

export interface HookSurroundings {
  readonly environment: Environment;
  /** Milliseconds between TERM and KILL. */
  readonly grace?: number;
}

const GRACE = 5000;
/** How long the last output may take from the shell's end: what it left running may hold the pipes for ever. */
const LAST_WORDS = 200;

/**
 * Runs a hook's command with `sh -c` in `/`, without input, in a process group of its own. At its time limit, and when
 * the run is stopped, the whole group gets TERM and, after a while, KILL. What the command leaves running in the
 * background when it ends by itself is not waited for and not stopped.
 */
export async function runHook(
  hook: Hook,
  context: HookContext,
  surroundings: HookSurroundings,
  signal: AbortSignal,
): Promise<HookResult> {
  const begun = performance.now();
  const output = new LastOutput();
  const child = spawn('/bin/sh', ['-c', hook.command], {
    cwd: '/',
    env: hookEnvironment(hook.when, context, surroundings.environment),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => output.add(bytes));
  }
  const limit = AbortSignal.timeout(hook.timeout);
  // Both before anything is awaited: an event that nobody waits for yet is gone.
  const ended = endOf(child);
  const closed = new Promise((resolve) => child.once('close', resolve));
  const cause = await Promise.race([ended, firstOf(signal, limit)]);
  if (cause === 'told') await stopGroup(child, ended, surroundings.grace ?? GRACE);
  const end = await ended;
  await Promise.race([closed, delay(LAST_WORDS)]);
  child.stdout?.destroy();
  child.stderr?.destroy();
  return {
    ...end.details,
    outcome: cause !== 'told' ? end.outcome : signal.aborted ? 'stopped' : 'timed out',
    milliseconds: Math.round(performance.now() - begun),
    output: output.text,
    dropped: output.dropped,
  };
}

interface End {
  readonly outcome: 'succeeded' | 'failed' | 'not started';
  readonly details: Pick<HookResult, 'exitCode' | 'endedBy'>;
}

function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('error', () => resolve({ outcome: 'not started', details: {} }));
    child.once('exit', (exitCode, endedBy) =>
      resolve({
        outcome: exitCode === 0 ? 'succeeded' : 'failed',
        details: { ...(exitCode === null ? {} : { exitCode }), ...(endedBy === null ? {} : { endedBy }) },
      }),
    );
  });
}

function firstOf(...signals: readonly AbortSignal[]): Promise<'told'> {
  const any = AbortSignal.any([...signals]);
  return new Promise((resolve) => {
    any.addEventListener('abort', () => resolve('told'), { once: true });
    if (any.aborted) resolve('told');
  });
}

/** The shell may go at TERM while what it started does not: the group counts. */
async function stopGroup(child: ChildProcess, ended: Promise<unknown>, grace: number): Promise<void> {
  signalGroup(child, 'SIGTERM');
  const until = performance.now() + grace;
  while (performance.now() < until && signalGroup(child, 0)) {
    await delay(Math.min(50, grace));
  }
  signalGroup(child, 'SIGKILL');
  await ended;
}

/** False when nobody is left in it. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
