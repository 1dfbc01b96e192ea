import { type Clock, Failure } from '@holdfast/engine';

/**
 * How long a server may take to answer. A network that swallows everything, without a word that the connection is gone,
 * would otherwise let us wait until TCP gives up: hours. Once WAL flows, the stream watches over itself.
 */
export class AnswerLimit implements Disposable {
  readonly #clock: Clock;
  readonly #late = new AbortController();
  #waiting: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Aborts with `source.unreachable` when no answer came in time. */
  get signal(): AbortSignal {
    return this.#late.signal;
  }

  /** From now on an answer is waited for. */
  await(): void {
    this.arrived();
    const waiting = new AbortController();
    this.#waiting = waiting;
    this.#clock.sleep(ANSWER_WITHIN_MS, waiting.signal).then(
      () => this.#late.abort(tooLate()),
      () => undefined,
    );
  }

  arrived(): void {
    this.#waiting?.abort();
    this.#waiting = undefined;
  }

  [Symbol.dispose](): void {
    this.arrived();
  }
}

function tooLate(): Failure {
  return new Failure('source.unreachable', `the server gave no answer for ${ANSWER_WITHIN_MS / 1000} s`, {
    hint: 'Was the network cut? A new connection is made.',
  });
}

/** A busy server takes seconds to begin a walsender; none takes this long. */
const ANSWER_WITHIN_MS = 60_000;
