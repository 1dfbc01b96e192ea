import { randomUUID } from 'node:crypto';
import type { Delivery, DeliveryFailure, Outbox } from '../alert/outbox.ts';
import type { ChannelHealth } from '../status/facts.ts';

interface Kept extends Delivery {
  readonly state: 'waiting' | 'delivered' | 'given up';
  readonly nextTry: number;
  readonly deliveredAt?: number;
  readonly failingSince?: number;
  readonly lastError?: string;
}

/** An outbox that a crash would empty: for tests of whoever uses one. */
export function memoryOutbox(): Outbox {
  let kept: readonly Kept[] = [];
  const waiting = (channel: string) =>
    kept.filter(({ state, message }) => state === 'waiting' && message.channel === channel);
  const change = (id: string, changes: (one: Kept) => Partial<Kept>) => {
    kept = kept.map((one) => (one.id === id ? { ...one, ...changes(one) } : one));
  };
  return {
    async add(messages, now) {
      const channels = new Set(messages.map(({ channel }) => channel));
      const forward = kept.map((one) =>
        one.state === 'waiting' && channels.has(one.message.channel) ? { ...one, nextTry: now } : one,
      );
      const added = messages.map((message) => ({
        id: randomUUID(),
        message,
        addedAt: now,
        attempts: 0,
        state: 'waiting' as const,
        nextTry: now,
      }));
      kept = [...forward, ...added];
    },
    async due(now) {
      return kept.filter(
        ({ state, message }) => state === 'waiting' && (waiting(message.channel)[0]?.nextTry ?? now) <= now,
      );
    },
    async delivered(id, now) {
      change(id, () => ({ state: 'delivered', deliveredAt: now }));
    },
    async failed(id, failure: DeliveryFailure, now, nextTry) {
      change(id, (one) => ({
        attempts: one.attempts + 1,
        failingSince: one.failingSince ?? now,
        lastError: failure.message,
        ...(nextTry === undefined ? { state: 'given up' } : { nextTry }),
      }));
    },
    async health() {
      return [...new Set(kept.map(({ message }) => message.channel))].map((channel) =>
        healthOf(
          channel,
          kept.filter(({ message }) => message.channel === channel),
        ),
      );
    },
  };
}

function healthOf(channel: string, kept: readonly Kept[]): ChannelHealth {
  const deliveredAt = kept.map((one) => one.deliveredAt ?? Number.NEGATIVE_INFINITY);
  const lastDeliveredAt = Math.max(...deliveredAt);
  const failing = kept.filter(
    ({ failingSince, state }) =>
      failingSince !== undefined && state !== 'delivered' && failingSince > lastDeliveredAt,
  );
  const lastError = failing.at(-1)?.lastError;
  return {
    channel,
    waiting: kept.filter(({ state }) => state === 'waiting').length,
    givenUp: kept.filter(({ state }) => state === 'given up').length,
    ...(Number.isFinite(lastDeliveredAt) ? { lastDeliveredAt } : {}),
    ...(failing.length === 0
      ? {}
      : { failingSince: Math.min(...failing.map((one) => one.failingSince ?? Number.POSITIVE_INFINITY)) }),
    ...(lastError === undefined ? {} : { lastError }),
  };
}
