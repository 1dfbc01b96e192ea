import type { Clock } from '@holdfast/engine';
import type { Policy } from '../policy/model.ts';
import type { RatesAt } from '../protect/task.ts';
import type { UnfinishedRun } from '../queue/new-run.ts';
import { hasRates, sharesOf } from './share-of-rates.ts';
import type { Worker } from './worker-process.ts';

export interface RateDeskOptions {
  readonly policy: () => Policy;
  /** What is at work now, by whichever control plane: rates hold over all of them. */
  readonly running: () => Promise<readonly Pick<UnfinishedRun, 'id' | 'kind' | 'about'>[]>;
  readonly clock: Clock;
}

/** Tells workers what they may use, anew whenever one begins or ends. */
export class RateDesk {
  readonly #options: RateDeskOptions;
  readonly #seats = new Map<string, Pick<Worker, 'hold'>>();
  #told = '';

  constructor(options: RateDeskOptions) {
    this.#options = options;
  }

  /** What a run may use to begin with. */
  async shareOf(run: string): Promise<RatesAt> {
    return (await this.#shares()).get(run) ?? {};
  }

  /** Tells this worker and the others, until it is disposed of. */
  seat(run: string, worker: Pick<Worker, 'hold'>): Disposable {
    this.#seats.set(run, worker);
    void this.#tell();
    return {
      [Symbol.dispose]: () => {
        this.#seats.delete(run);
        void this.#tell();
      },
    };
  }

  /** Looks again and again whether others have begun or ended elsewhere, or the policy has changed, until the signal aborts. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
      await this.#tell();
    }
  }

  async #tell(): Promise<void> {
    if (this.#seats.size === 0) return;
    // The memory is away for a moment: what was told holds, and the next look comes soon.
    const shares = await this.#shares().catch(() => undefined);
    if (shares === undefined) return;
    const told = JSON.stringify([...shares]);
    if (told === this.#told) return;
    this.#told = told;
    for (const [run, worker] of this.#seats) worker.hold(shares.get(run) ?? {});
  }

  async #shares(): Promise<ReadonlyMap<string, RatesAt>> {
    const policy = this.#options.policy();
    if (!hasRates(policy)) return new Map();
    const running = await this.#options.running();
    const shares = sharesOf(policy, running);
    return new Map(running.map(({ id }, index) => [id, shares[index] ?? {}]));
  }
}

const LOOK_EVERY_MS = 3000;
