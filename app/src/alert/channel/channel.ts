import type { Clock } from '@holdfast/engine';
import type { AlertChannel } from '../../policy/model.ts';
import { sendByEmail } from './email.ts';
import { type ReadValue, readOrRefuse, type Send, TIME_LIMIT } from './sending.ts';
import { sendToSlack } from './slack.ts';
import { sendToWebhook } from './webhook.ts';

export interface ChannelTools {
  readonly readValue: ReadValue;
  readonly clock: Pick<Clock, 'now'>;
  /** Milliseconds for one attempt. */
  readonly timeLimit?: number;
}

/** The way to a channel. Its secrets are read at each attempt and kept nowhere. */
export function sender(
  channel: AlertChannel,
  { readValue, clock, timeLimit = TIME_LIMIT }: ChannelTools,
): Send {
  return async (letter, signal) => {
    const address = await readOrRefuse(
      readValue,
      channel.kind === 'email' ? channel.server : channel.url,
      signal,
    );
    if (!address.ok) return address;
    switch (channel.kind) {
      case 'slack':
        return sendToSlack(letter, { url: address.value, timeLimit }, clock, signal);
      case 'email': {
        const { from, to } = channel;
        return sendByEmail(letter, { server: address.value, from, to, timeLimit }, signal);
      }
      case 'webhook': {
        const target = { url: address.value, timeLimit };
        if (channel.secret === undefined) return sendToWebhook(letter, target, clock, signal);
        const secret = await readOrRefuse(readValue, channel.secret, signal);
        if (!secret.ok) return secret;
        return sendToWebhook(letter, { ...target, secret: secret.value }, clock, signal);
      }
    }
  };
}
