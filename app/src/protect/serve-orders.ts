import { Failure } from '@holdfast/engine';
import { failureFrom } from '../cli/failure-report.ts';
import type { ProgressSample } from '../cli/progress.ts';
import { carryOut } from './carry-out.ts';
import type { Duty, Hands } from './hands.ts';
import type { Order, RatesAt } from './task.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** The worker's end of the channel. */
export interface OrderChannel {
  /** Resolves when it is on its way, or when nobody is at the other end any more. */
  send(message: FromWorker): Promise<void>;
  /** Hears of each message, and of `undefined` when nobody is at the other end any more. */
  listen(hear: (message: ToWorker | undefined) => void): void;
  /** Nothing more is sent or heard. */
  close(): void;
}

/** Waits for one order, carries it out and resolves when its outcome is told. Never rejects. */
export async function serveOrder(channel: OrderChannel, hands: Hands): Promise<void> {
  const stop = new AbortController();
  const ordered = Promise.withResolvers<Order | undefined>();
  let rates: RatesAt = {};
  channel.listen((message) => {
    if (message?.type === 'rates') {
      rates = message.rates;
      return;
    }
    if (message?.type === 'order') {
      rates = message.order.rates;
      return ordered.resolve(message.order);
    }
    stop.abort(new Failure('interrupted', 'the control plane has asked to stop'));
    ordered.resolve(undefined);
  });
  await channel.send({ type: 'ready' });
  const order = await ordered.promise;
  if (order !== undefined) {
    const terms = { order, hands, rates: () => rates };
    await channel.send(await answer(terms, channel, stop.signal));
  }
  channel.close();
}

async function answer(
  terms: Omit<Duty, 'work'>,
  channel: OrderChannel,
  signal: AbortSignal,
): Promise<FromWorker> {
  const progress = new Beat(channel);
  try {
    const outcome = await carryOut({ ...terms, work: { signal, progress } });
    return { type: 'done', outcome };
  } catch (error) {
    const { code, message, hint, retry } = failureFrom(error, signal);
    return { type: 'failed', failure: { code, message, retry, ...(hint === undefined ? {} : { hint }) } };
  } finally {
    progress.end();
  }
}

/** Says how far the work is, by the second. */
class Beat {
  readonly #channel: OrderChannel;
  readonly #timer: NodeJS.Timeout;
  #sample: (() => ProgressSample) | undefined;

  constructor(channel: OrderChannel) {
    this.#channel = channel;
    this.#timer = setInterval(() => this.#tell(), BEAT_MS);
  }

  watch(sample: () => ProgressSample): void {
    this.#sample = sample;
  }

  note(line: string, records: readonly Readonly<Record<string, unknown>>[] = []): void {
    void this.#channel.send({ type: 'note', line, records });
  }

  end(): void {
    clearInterval(this.#timer);
    this.#tell();
  }

  #tell(): void {
    if (this.#sample !== undefined) void this.#channel.send({ type: 'progress', sample: this.#sample() });
  }
}

const BEAT_MS = 1000;
