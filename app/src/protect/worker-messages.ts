import type { RunFailure } from '../catalog/records.ts';
import type { ProgressSample } from '../cli/progress.ts';
import type { Order, RatesAt, TaskOutcome } from './task.ts';

/**
 * What a worker and the control plane tell each other, over the channel of the child process. The channel's end tells the
 * worker that the control plane is gone: it stops then as if it had been told to, and whoever comes next begins anew.
 */
export type ToWorker =
  | { readonly type: 'order'; readonly order: Order }
  /** From now on: others have begun or ended meanwhile. */
  | { readonly type: 'rates'; readonly rates: RatesAt }
  /** Finish what is under way cleanly: what is in the repository by then is used again. */
  | { readonly type: 'stop' };

export type FromWorker =
  | { readonly type: 'ready' }
  /** How far it is, a line or a record of what happened. */
  | { readonly type: 'progress'; readonly sample: ProgressSample }
  | {
      readonly type: 'note';
      readonly line: string;
      readonly records: readonly Readonly<Record<string, unknown>>[];
    }
  | { readonly type: 'done'; readonly outcome: TaskOutcome }
  | { readonly type: 'failed'; readonly failure: RunFailure & { readonly retry: boolean } };
