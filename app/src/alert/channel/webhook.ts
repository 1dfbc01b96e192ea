import { createHmac } from 'node:crypto';
import type { Clock } from '@holdfast/engine';
import type { Secret } from '../../cli/secret.ts';
import { post } from './http-post.ts';
import type { Letter, Sent } from './sending.ts';
import type { WebhookBody } from './webhook-body.ts';

export interface WebhookTarget {
  readonly url: Secret;
  /** Shared with the receiver; absent: unsigned. */
  readonly secret?: Secret;
  readonly timeLimit: number;
}

/**
 * Sends JSON, signed with HMAC-SHA256 over `<seconds>.<body>`: `Holdfast-Signature: t=<seconds>,v1=<hex>`. The time is
 * that of the attempt, so a receiver refuses what is older than five minutes, and knows `Holdfast-Delivery` again when a
 * message comes twice.
 */
export async function sendToWebhook(
  letter: Letter,
  to: WebhookTarget,
  clock: Pick<Clock, 'now'>,
  signal: AbortSignal,
): Promise<Sent> {
  const body = JSON.stringify(webhookBody(letter));
  const headers = {
    'content-type': 'application/json',
    'holdfast-delivery': letter.id,
    ...(to.secret === undefined ? {} : { 'holdfast-signature': signatureOf(body, to.secret, clock.now()) }),
  };
  return post({ url: to.url, body, headers, timeLimit: to.timeLimit }, clock, signal);
}

function signatureOf(body: string, secret: Secret, now: number): string {
  const seconds = Math.floor(now / 1000);
  const hmac = createHmac('sha256', secret.reveal()).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${hmac}`;
}

function webhookBody({ id, message, letterhead }: Letter): WebhookBody {
  return {
    version: 1,
    delivery: id,
    stack: letterhead.stack,
    at: timeOf(message.at),
    test: message.test === true,
    news: message.news.map(({ since, until, ...news }) => ({
      ...news,
      since: timeOf(since),
      ...(until === undefined ? {} : { until: timeOf(until) }),
    })),
  };
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
