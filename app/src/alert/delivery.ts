import type { Random } from '@holdfast/engine';
import type { Send } from './channel/sending.ts';
import type { Delivery, Outbox } from './outbox.ts';
import type { Letterhead } from './wording.ts';

export interface DeliveryTools {
  readonly outbox: Outbox;
  /** By the channel's name. */
  readonly senders: ReadonlyMap<string, Send>;
  readonly letterhead: Letterhead;
  readonly now: () => number;
  readonly random: Random;
}

const FIRST_WAIT = 5000;
const LONGEST_WAIT = 30 * 60_000;
/** Old news is no news: what did not get through for a day is given up, and said to be. */
const LONGEST_LIFE = 24 * 60 * 60_000;

/**
 * Sends what is due: the channels at the same time, so that none waits for another, and each channel's messages one after
 * the other. Where the way fails, the later ones of that channel wait with it, so that an end never arrives before its beginning;
 * a message that is refused for what it says holds up no other.
 */
export async function deliverDue(tools: DeliveryTools, signal: AbortSignal): Promise<void> {
  const due = Map.groupBy(await tools.outbox.due(tools.now()), ({ message }) => message.channel);
  await Promise.all([...due.values()].map((deliveries) => deliverInOrder(deliveries, tools, signal)));
}

async function deliverInOrder(
  deliveries: readonly Delivery[],
  tools: DeliveryTools,
  signal: AbortSignal,
): Promise<void> {
  for (const delivery of deliveries) {
    if (!(await deliver(delivery, tools, signal))) return;
  }
}

async function deliver(delivery: Delivery, tools: DeliveryTools, signal: AbortSignal): Promise<boolean> {
  const { outbox, letterhead, now, random } = tools;
  const { id, message } = delivery;
  const send = tools.senders.get(message.channel);
  if (send === undefined) {
    await outbox.failed(id, { message: 'the policy has no such channel any more' }, now());
    return true;
  }
  const sent = await send({ id, message, letterhead }, signal);
  if (sent.ok) {
    await outbox.delivered(id, now());
    return true;
  }
  const { ok: _, retryAfter = 0, fault, ...failure } = sent;
  const wait = Math.max(retryAfter, waitAfter(delivery.attempts + 1, random));
  const nextTry = now() + wait;
  if (nextTry - delivery.addedAt > LONGEST_LIFE) {
    await outbox.failed(id, failure, now());
    return true;
  }
  await outbox.failed(id, failure, now(), nextTry);
  return fault === 'message';
}

/** Twice as long each time, a quarter of it by chance: 5 s, 10 s, … half an hour. */
function waitAfter(attempts: number, random: Random): number {
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempts - 1));
  // Whole milliseconds: an outbox in a database takes no others.
  return Math.round(wait * (1 - random() / 4));
}
