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

/**
 * Turns signals into one AbortSignal. What was asked to stop still writes what is needed to go on next time, and
 * gives back its lock; at the second signal nobody wants to wait for that: `exit` is called.
 */
export function listenForInterrupts(source: SignalSource, exit: (code: number) => void): AbortSignal {
  const controller = new AbortController();
  for (const signal of Object.keys(CAUSES) as InterruptSignal[]) {
    source.on(signal, () => {
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
