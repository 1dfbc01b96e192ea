import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@holdfast/engine';
import type { WebhookBody } from '../../alert/channel/webhook-body.ts';

/** Something that a webhook was told. */
export type Alert = WebhookBody['news'][number] & {
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
};

/** A receiver of webhooks on this machine, as somebody's pager would be one elsewhere. */
export class AlertSink implements AsyncDisposable {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #received: Alert[] = [];

  private constructor(clock: Clock) {
    this.#clock = clock;
    this.#server = createServer(async (request, response) => {
      const status = await this.#take(request).catch(() => 400);
      response.writeHead(status).end();
    });
  }

  static async open(clock: Clock): Promise<AlertSink> {
    const sink = new AlertSink(clock);
    const listening = Promise.withResolvers<void>();
    sink.#server.once('error', listening.reject).listen(0, '127.0.0.1', listening.resolve);
    await listening.promise;
    return sink;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/alerts`;
  }

  /** Resolves with the first that was or will be received after a moment and that is meant. */
  async hears(isMeant: (alert: Alert) => boolean, since: number, signal: AbortSignal): Promise<Alert> {
    for (;;) {
      const alert = this.#received.find((one) => one.receivedAt >= since && isMeant(one));
      if (alert !== undefined) return alert;
      await this.#clock.sleep(LOOK_EVERY, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Answers the status of the response. */
  async #take(request: IncomingMessage): Promise<number> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { news } = JSON.parse(Buffer.concat(parts).toString()) as WebhookBody;
    const receivedAt = this.#clock.now();
    this.#received.push(...news.map((one) => ({ ...one, receivedAt })));
    return 200;
  }
}

/** Milliseconds. */
const LOOK_EVERY = 20;
