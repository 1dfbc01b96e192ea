import { Failure } from '@holdfast/engine';

/** The part of a process that tells about signals. */
export interface SignalSource {
  on(signal: InterruptSignal, listener: () => void): unknown;
}

export type InterruptSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface InterruptActions {
  /** The first signal: work is asked to stop. */
  readonly announce: (text: string) => void;
  /** The second one: nobody wants to wait any longer. */
  readonly exit: (code: number) => void;
}

const CAUSES = {
  SIGINT: 'somebody pressed Ctrl-C',
  SIGTERM: 'the system asked this program to end (SIGTERM)',
  SIGHUP: 'the terminal went away (SIGHUP)',
} as const satisfies Record<InterruptSignal, string>;

const INTERRUPTED = 130;

/**
 * Turns signals into one AbortSignal. What was asked to stop still writes what is needed to go on next time, and
 * gives back its lock; the second signal does not wait for that.
 */
export function listenForInterrupts(source: SignalSource, actions: InterruptActions): AbortSignal {
  const controller = new AbortController();
  for (const signal of Object.keys(CAUSES) as InterruptSignal[]) {
    source.on(signal, () => {
      if (controller.signal.aborted) {
        actions.exit(INTERRUPTED);
        return;
      }
      actions.announce('Stopping cleanly. Press Ctrl-C again to stop at once.');
      controller.abort(
        new Failure('interrupted', `stopped before the end: ${CAUSES[signal]}`, {
          hint: 'What the repository had taken before is kept; run the same command again to go on.',
        }),
      );
    });
  }
  return controller.signal;
}
