import { Failure } from '@holdfast/engine';

/** The part of a process that tells about signals. */
export interface SignalSource {
  on(signal: InterruptSignal, listener: () => void): unknown;
}

export type InterruptSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const CAUSES = {
  SIGINT: 'somebody pressed Ctrl-C',
  SIGTERM: 'the system asked this program to end (SIGTERM)',
  SIGHUP: 'the terminal went away (SIGHUP)',
} as const satisfies Record<InterruptSignal, string>;

const INTERRUPTED = 130;

export interface InterruptOptions {
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  /** Whether there is a terminal that could go away, and has not. */
  readonly hasTerminal: () => boolean;
}

/**
 * Turns signals into one AbortSignal. What was asked to stop still writes what is needed to go on next time, and
 * gives back its lock; at the second signal nobody wants to wait for that: `exit` is called.
 *
 * A hang-up counts only when the terminal is really gone. A restic on this host that finds our lock sends one to see
 * whether we live, and counts on it to be ignored: its question must not end a night's backup.
 */
export function listenForInterrupts(source: SignalSource, options: InterruptOptions): AbortSignal {
  const { exit, hasTerminal } = options;
  const controller = new AbortController();
  const hadTerminal = hasTerminal();
  for (const signal of Object.keys(CAUSES) as InterruptSignal[]) {
    source.on(signal, () => {
      if (signal === 'SIGHUP' && (!hadTerminal || hasTerminal())) return;
      if (controller.signal.aborted) {
        exit(INTERRUPTED);
        return;
      }
      controller.abort(
        new Failure('interrupted', CAUSES[signal], {
          hint: 'What was finished before that is kept; run the same command again to go on.',
        }),
      );
    });
  }
  return controller.signal;
}
