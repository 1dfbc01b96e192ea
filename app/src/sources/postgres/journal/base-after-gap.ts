import { type Clock, Failure, isFailure, type Random, type StoredSnapshot } from '@holdfast/engine';
import type { HostAddress } from '../connection/server-address.ts';
import type { JournalEvent } from './journal-event.ts';
import { baseMissing } from './journal-findings.ts';
import type { WalPosition } from './start-position.ts';

/** Where a stream has begun that no earlier one leads to. */
export interface StreamBeginning extends WalPosition {
  readonly host: HostAddress;
}

export interface BaseAfterGapOptions {
  /** Whether a base in the repository leads to it. */
  readonly isLedTo: (beginning: StreamBeginning) => Promise<boolean>;
  /** Takes a base backup into the repository; undefined when somebody else sees to that. */
  readonly takeBase: ((beginning: StreamBeginning) => Promise<StoredSnapshot>) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly onEvent: (event: BaseEvent) => void;
  readonly signal: AbortSignal;
}

export type BaseEvent =
  | { readonly kind: 'finding'; readonly finding: ReturnType<typeof baseMissing> }
  | { readonly kind: 'base-taken'; readonly snapshot: StoredSnapshot; readonly took: number }
  /** It is tried again after so many milliseconds; the stream goes on meanwhile. */
  | { readonly kind: 'base-failed'; readonly failure: Failure; readonly retryIn: number };

/**
 * Sees to it that a base leads to the journal: at its very start, after every gap, and after a gap that an earlier process
 * did not live to close. What counts is what lies in the repository, so a base that was taken by hand is as good.
 */
export class BaseAfterGap {
  readonly #options: BaseAfterGapOptions;
  /** The stream begins anew with the next connection: nothing that we know leads there. */
  #broken = true;
  #wanted: StreamBeginning | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(options: BaseAfterGapOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', () => this.#wake.resolve(), { once: true });
  }

  hear(event: JournalEvent): void {
    if (event.kind === 'gap') this.#broken = true;
    if (event.kind !== 'streaming' || !this.#broken) return;
    this.#broken = false;
    this.#wanted = { host: event.host, timeline: event.timeline, lsn: event.from };
    this.#wake.resolve();
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const wanted = this.#wanted;
      if (wanted === undefined) {
        this.#wake = Promise.withResolvers();
        await this.#wake.promise;
      } else if (await this.#see(wanted)) {
        // A gap that came meanwhile wants a base of its own.
        if (this.#wanted === wanted) this.#wanted = undefined;
      }
    }
  }

  /** Answers whether there is nothing more to do about it; otherwise another gap has come, or the signal has aborted. */
  async #see(wanted: StreamBeginning): Promise<boolean> {
    const { clock, random, isLedTo, takeBase, onEvent, signal } = this.#options;
    let told = false;
    for (let failures = 0; !signal.aborted && this.#wanted === wanted; failures += 1) {
      try {
        if (await isLedTo(wanted)) return true;
        if (!told) onEvent({ kind: 'finding', finding: baseMissing(wanted.lsn, takeBase !== undefined) });
        told = true;
        if (takeBase === undefined) return true;
        const startedAt = clock.now();
        const snapshot = await takeBase(wanted);
        onEvent({ kind: 'base-taken', snapshot, took: clock.now() - startedAt });
        if (await isLedTo(wanted)) return true;
        throw new Failure('incomplete', 'the base that was taken does not lead to the journal');
      } catch (error) {
        if (signal.aborted) return false;
        const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
        const retryIn = longest * (0.5 + random() / 2);
        onEvent({ kind: 'base-failed', failure: asFailure(error), retryIn });
        await clock.sleep(retryIn, signal).catch(() => undefined);
      }
    }
    return false;
  }
}

/** Whatever it is, it must not end the stream, which is all that there is until a base succeeds. */
function asFailure(error: unknown): Failure {
  if (isFailure(error)) return error;
  return new Failure('internal', error instanceof Error ? error.message : String(error), { cause: error });
}

const FIRST_PAUSE_MS = 2000;
/** A base is no small thing for a server that cannot give one. */
const LONGEST_PAUSE_MS = 15 * 60_000;
