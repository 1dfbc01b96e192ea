import type { ChannelHealth } from '../status/facts.ts';
import type { Message } from './message.ts';

/** A message on its way to its channel. */
export interface Delivery {
  readonly id: string;
  readonly message: Message;
  readonly addedAt: number;
  /** That were made, and failed. */
  readonly attempts: number;
}

export interface DeliveryFailure {
  readonly message: string;
  readonly hint?: string;
}

/**
 * Where messages wait until they are delivered. What was added survives a crash; whoever crashes between sending and
 * `delivered` sends again, so each is delivered at least once. Times are milliseconds since the epoch.
 */
export interface Outbox {
  /**
   * To be tried at once, and with them whatever waits for the same channels. Stored together with the incidents that the
   * same decision left.
   */
  add(messages: readonly Message[], now: number): Promise<void>;
  /** All that waits for a channel whose oldest message's time has come, in the order in which it was added. */
  due(now: number): Promise<readonly Delivery[]>;
  delivered(id: string, now: number): Promise<void>;
  /** To be tried again at `nextTry`; without it the delivery is given up. */
  failed(id: string, failure: DeliveryFailure, now: number, nextTry?: number): Promise<void>;
  /** How it goes, one for each channel that has had a message. */
  health(): Promise<readonly ChannelHealth[]>;
}
